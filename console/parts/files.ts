/** Gives the reader a file to keep. */
export function saveFile(name: string, content: string | Uint8Array<ArrayBuffer>, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name.replace(/[\\/:*?"<>|]/g, '_');
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export type NamedText = { name: string; text: string };

/** A ZIP archive of texts, not compressed (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16). */
export function packFiles(files: readonly NamedText[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (list: Uint8Array[], ...more: Uint8Array[]) => {
    list.push(...more);
    return more.reduce((sum, one) => sum + one.length, 0);
  };
  for (const file of files) {
    const name = encoder.encode(file.name);
    const content = encoder.encode(file.text);
    // Version 2.0, names in UTF-8, stored, the first day that ZIP knows.
    const shared = [
      20,
      0,
      0,
      8,
      0,
      0,
      0,
      0,
      33,
      0,
      ...four(checksum(content)),
      ...four(content.length),
      ...four(content.length),
      ...two(name.length),
      0,
      0,
    ];
    put(
      directory,
      Uint8Array.from([0x50, 0x4b, 1, 2, 20, 0, ...shared, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...four(at)]),
      name,
    );
    at += put(parts, Uint8Array.from([0x50, 0x4b, 3, 4, ...shared]), name, content);
  }
  const size = directory.reduce((sum, one) => sum + one.length, 0);
  const count = two(files.length);
  const end = Uint8Array.from([0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...count, ...count, ...four(size), ...four(at), 0, 0]);
  const all = [...parts, ...directory, end];
  const whole = new Uint8Array(all.reduce((sum, one) => sum + one.length, 0));
  let to = 0;
  for (const one of all) {
    whole.set(one, to);
    to += one.length;
  }
  return whole;
}

const two = (n: number) => [n & 255, (n >>> 8) & 255];
const four = (n: number) => [...two(n), ...two(n >>> 16)];

function checksum(bytes: Uint8Array): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
