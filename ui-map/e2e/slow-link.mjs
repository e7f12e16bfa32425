import { connect, createServer } from 'node:net';

/**
 * A relay that makes a server look as if it were behind a slow link, for everything that the
 * browser does, its workers included (the browser's own emulation leaves those out).
 * One bandwidth for all connections in each direction, a delay each way, and one round trip more
 * for a new connection, as TCP takes it. `link.received` counts the bytes that came down.
 */
export async function slowLink(target, { bitsDown, bitsUp, roundTripMs }) {
  const { hostname, port } = new URL(target);
  const link = { url: '', received: 0, connections: 0, close: () => server.close() };
  const down = lane(bitsDown / 8, roundTripMs / 2);
  const up = lane(bitsUp / 8, roundTripMs / 2);
  const server = createServer((client) => {
    link.connections += 1;
    const opened = Date.now() + roundTripMs;
    const upstream = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
    client.on('data', (chunk) => up(chunk, opened, () => upstream.writable && upstream.write(chunk)));
    upstream.on('data', (chunk) => {
      for (let start = 0; start < chunk.length; start += 4096) {
        const piece = chunk.subarray(start, start + 4096);
        link.received += piece.length;
        down(piece, 0, () => client.writable && client.write(piece));
      }
    });
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  link.url = `http://127.0.0.1:${server.address().port}/`;
  return link;
}

/** One direction of the link: what is sent waits for what was sent before it, then for the delay. */
function lane(bytesASecond, delayMs) {
  let free = 0;
  return (chunk, notBefore, deliver) => {
    const begin = Math.max(Date.now(), free, notBefore);
    free = begin + (chunk.length / bytesASecond) * 1000;
    setTimeout(deliver, free + delayMs - Date.now());
  };
}
