import { createServer, request } from 'node:http';

/**
 * A proxy before a server. `relay.headers` go over those that the browser sends. `cut` makes the server
 * as good as gone, `mend` brings it back at the same address. `relay.answers` gathers what was answered.
 */
export async function relay(target, headers = {}) {
  const { hostname, port } = new URL(target);
  const proxy = createServer((asked, answer) => {
    const passed = request(
      { host: hostname.replace(/^\[|\]$/g, ''), port, path: asked.url, method: asked.method, headers: { ...asked.headers, ...made.headers } },
      (answered) => {
        made.answers.push({ path: asked.url, status: answered.statusCode, encoding: answered.headers['content-encoding'] });
        answer.writeHead(answered.statusCode, answered.headers);
        answered.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  const listen = (at) => new Promise((resolve) => proxy.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const own = proxy.address().port;
  const made = {
    url: `http://127.0.0.1:${own}/`,
    headers,
    answers: [],
    cut: () => {
      const closed = new Promise((resolve) => proxy.close(resolve));
      proxy.closeAllConnections();
      return closed;
    },
    mend: () => listen(own),
  };
  return made;
}
