/** Photos and documents for the tests, made by the browser. */

/** The mark of EXIF that says how a camera was held, as a segment of a JPEG: 6 is upright, turned to the left. */
function exif(orientation) {
  const tiff = Buffer.alloc(26);
  tiff.write('II*\0', 0, 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(1, 8);
  tiff.writeUInt16LE(0x0112, 10);
  tiff.writeUInt16LE(3, 12);
  tiff.writeUInt32LE(1, 14);
  tiff.writeUInt16LE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/**
 * A JPEG that `paint(context, width, height, seed)` draws in the browser, as for `setInputFiles`. `orientation` as EXIF has
 * it.
 */
export async function photo(browser, name, paint, { width = 400, height = 300, orientation, seed = 7 } = {}) {
  const page = await browser.newPage();
  try {
    const url = await page.evaluate(
      ([source, w, h, from]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
        new Function(`return (${source})`)()(canvas.getContext('2d'), w, h, from);
        return canvas.toDataURL('image/jpeg', 0.85);
      },
      [paint.toString(), width, height, seed],
    );
    const bytes = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    // Behind the mark of the start.
    const buffer = orientation ? Buffer.concat([bytes.subarray(0, 2), exif(orientation), bytes.subarray(2)]) : bytes;
    return { name, mimeType: 'image/jpeg', buffer };
  } finally {
    await page.close();
  }
}

/** Left red, right blue. */
export function halves(context, width, height) {
  context.fillStyle = '#d02020';
  context.fillRect(0, 0, width / 2, height);
  context.fillStyle = '#2040d0';
  context.fillRect(width / 2, 0, width / 2, height);
}

/** A street: of an odd seed with a hole in it, of an even one newly paved. */
export function street(context, width, height, seed) {
  let state = seed * 7919;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  random();
  const where = 0.5 + 0.2 * (random() - 0.5);
  const near = 0.6 + 0.2 * random();
  const blob = (x, y, radius, ragged) => {
    context.beginPath();
    for (let turn = 0; turn < 40; turn += 1) {
      const angle = (turn / 40) * 2 * Math.PI;
      const far = radius * (1 + ragged * (random() - 0.5));
      context.lineTo(x + 1.6 * far * Math.cos(angle), y + 0.75 * far * Math.sin(angle));
    }
    context.closePath();
    context.fill();
  };
  const horizon = height * 0.3;
  const sky = context.createLinearGradient(0, 0, 0, horizon);
  sky.addColorStop(0, '#9cc3e6');
  sky.addColorStop(1, '#e4eef4');
  context.fillStyle = sky;
  context.fillRect(0, 0, width, horizon);
  for (const [left, colour] of [[0, '#c9b79c'], [0.13, '#b98d6a'], [0.29, '#d8cdb9'], [0.7, '#c4a27f'], [0.86, '#d9c7a5']]) {
    const tall = 0.4 + 0.45 * random();
    context.fillStyle = colour;
    context.fillRect(left * width, horizon * (1 - tall), 0.155 * width, horizon * tall);
    context.fillStyle = 'rgb(60 60 70 / 65%)';
    for (let row = 0; row < 3; row += 1)
      for (let column = 0; column < 3; column += 1)
        context.fillRect((left + 0.02 + column * 0.045) * width, horizon * (1 - tall + 0.1 + row * 0.16), 0.02 * width, horizon * 0.08);
  }
  context.fillStyle = '#5f8a4a';
  context.fillRect(0, horizon, width, height);
  const road = (margin, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(width * (0.44 - margin / 5), horizon);
    context.lineTo(width * (0.56 + margin / 5), horizon);
    context.lineTo(width * (1.12 + margin), height);
    context.lineTo(width * (-0.12 - margin), height);
    context.fill();
  };
  road(0.14, '#b9b6ae');
  road(0, seed % 2 === 1 ? '#5b5c60' : '#3d3e42');
  context.fillStyle = '#d9b64a';
  for (let at = 0.04; at < 1; at += 0.19) {
    const [top, bottom] = [at, at + 0.1].map((share) => horizon + (height - horizon) * share ** 1.7);
    const [thin, thick] = [at, at + 0.1].map((share) => width * (0.002 + 0.016 * share));
    context.beginPath();
    context.moveTo(width / 2 - thin, top);
    context.lineTo(width / 2 + thin, top);
    context.lineTo(width / 2 + thick, bottom);
    context.lineTo(width / 2 - thick, bottom);
    context.fill();
  }
  if (seed % 2 === 1) {
    const hole = [width * where, height * near, width * 0.17 * near];
    for (const [grow, ragged, colour] of [[1.3, 0.25, '#6b6a68'], [1.12, 0.2, '#47423d'], [1, 0.25, '#2c2723'], [0.72, 0.3, '#6a5a49'], [0.5, 0.3, '#51626d']]) {
      context.fillStyle = colour;
      blob(hole[0], hole[1] + (1 - grow) * hole[2] * 0.25, hole[2] * grow, ragged);
    }
    for (let stone = 0; stone < 90; stone += 1) {
      const grey = 60 + Math.round(90 * random());
      context.fillStyle = `rgb(${grey} ${grey - 4} ${grey - 10})`;
      const [angle, far] = [random() * 2 * Math.PI, hole[2] * (0.9 + 0.7 * random())];
      blob(hole[0] + 1.7 * far * Math.cos(angle), hole[1] + 0.8 * far * Math.sin(angle), width * 0.004 * (0.4 + random()), 0.6);
    }
  }
  // The grain of a camera.
  const picture = context.getImageData(0, 0, width, height);
  for (let at = 0; at < picture.data.length; at += 4) {
    const grain = (random() - 0.5) * (at / 4 / width > horizon ? 34 : 8);
    for (let colour = 0; colour < 3; colour += 1) picture.data[at + colour] += grain;
  }
  context.putImageData(picture, 0, 0);
}

/** A PDF of one page. */
export async function pdf(browser, name, text) {
  const page = await browser.newPage();
  try {
    await page.setContent(`<h1>${text}</h1>`);
    return { name, mimeType: 'application/pdf', buffer: await page.pdf({ format: 'A5' }) };
  } finally {
    await page.close();
  }
}
