-- wrk -s load.lua: asks for the paths listed in the file named by PATHS, in
-- turn, on one thread (-t1). With RATE, so many a second over all connections,
-- as far as the server keeps up. Ends with a line for scripts:
--
--   load REQUESTS SECONDS BYTES FAILED P50_MS P99_MS
local rate = tonumber(os.getenv("RATE") or "")
local requests, next_request = {}, 0

function init()
  for path in io.lines(os.getenv("PATHS")) do requests[#requests + 1] = wrk.format("GET", path) end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

if rate then
  -- os.time counts seconds and os.clock the processor's time: neither will do.
  local ffi = require("ffi")
  ffi.cdef("typedef struct { long seconds; long nanoseconds; } moment; int clock_gettime(int clock, moment *now);")
  local moment, due = ffi.new("moment"), nil
  function delay()
    ffi.C.clock_gettime(1, moment)
    local now = tonumber(moment.seconds) * 1000 + tonumber(moment.nanoseconds) / 1e6
    due = (due or now) + 1000 / rate
    -- A server that fell behind is not asked for what it missed.
    if due < now - 1000 then due = now end
    return math.max(0, math.floor(due - now + 0.5))
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("load %d %.3f %d %d %.3f %.3f", summary.requests, summary.duration / 1e6, summary.bytes, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
