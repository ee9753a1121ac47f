import assert from "node:assert/strict";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { isHtml, withLinks } from "./html-links.ts";

/** An answer that comes in pieces of `size` bytes. */
function answer(body: Buffer, headers: IncomingHttpHeaders = {}, size = 7): IncomingMessage {
  const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => body.subarray(index * size, (index + 1) * size));
  return Object.assign(Readable.from(pieces, { objectMode: false }), { headers }) as unknown as IncomingMessage;
}

const prefixed = (url: string) => (url.startsWith("/") ? `/p${url}` : url);

async function rewritten(html: string | Buffer): Promise<string> {
  const chunks = await withLinks(answer(Buffer.from(html as string)), prefixed).toArray();
  return Buffer.concat(chunks as Buffer[]).toString();
}

test("links lead through the proxy, whichever way they are written", async () => {
  const page = `<!DOCTYPE html><html><head><LINK rel=x HREF='/a.css'><script src="/a.js">if (a < b) "<a href='/no'>"</script></head>
<body background=/bg.png><a class="b" href = "/x?a=1&amp;b=2" title="/title">/text</a><a href="rel">r</a><a href>e</a>
<img src="/i.png" alt="/alt" usemap="#m"><form action="/do" method=post><!-- <a href="/c"> --></form></body></html>`;
  assert.equal(
    await rewritten(page),
    `<!DOCTYPE html><html><head><LINK rel=x HREF='/p/a.css'><script src="/p/a.js">if (a < b) "<a href='/no'>"</script></head>
<body background=/p/bg.png><a class="b" href = "/p/x?a=1&amp;b=2" title="/title">/text</a><a href="rel">r</a><a href>e</a>
<img src="/p/i.png" alt="/alt" usemap="#m"><form action="/p/do" method=post><!-- <a href="/c"> --></form></body></html>`,
  );
});

test("all that is no link stays as it is: broken HTML, any encoding, line ends", async () => {
  const odd = Buffer.concat([
    Buffer.from('<p>\r\n<a hre<b>="/x"<i></p\0>'),
    Buffer.from([0xff, 0xa0, 0xe9]),
    Buffer.from("<td à=é>&nbsp;"),
  ]);
  const chunks = await withLinks(answer(odd), prefixed).toArray();
  assert.deepEqual(Buffer.concat(chunks as Buffer[]), odd);
});

test("a compressed page is one again afterwards", async () => {
  const page = answer(gzipSync('<a href="/x">'), { "content-encoding": "gzip" });
  const chunks = await withLinks(page, prefixed).toArray();
  assert.equal(gunzipSync(Buffer.concat(chunks as Buffer[])).toString(), '<a href="/p/x">');
});

test("only pages that can be read are touched", () => {
  const is = (type: string, encoding = "") => isHtml(answer(Buffer.of(), { "content-type": type, "content-encoding": encoding }));
  assert.deepEqual(
    [is("text/html; charset=utf-8"), is("Text/HTML", "gzip"), is("text/html", "br"), is("application/json")],
    [true, true, false, false],
  );
});
