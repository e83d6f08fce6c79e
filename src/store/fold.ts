/** Characters of full and half width, and the plain one that each stands for, at the same place (RFC 8265 section 3.3.2). */
export const wideCharacters: { wide: string; plain: string } = listWide();

function listWide(): { wide: string; plain: string } {
  const pairs = [0x3000, ...Array.from({ length: 0xffee - 0xff01 + 1 }, (_, n) => 0xff01 + n)]
    .map((code) => String.fromCharCode(code))
    .map((wide) => ({ wide, plain: wide.normalize('NFKC') }))
    .filter(({ wide, plain }) => plain.length === 1 && plain !== wide);
  return { wide: pairs.map((one) => one.wide).join(''), plain: pairs.map((one) => one.plain).join('') };
}

const plainOf = new Map([...wideCharacters.wide].map((wide, n) => [wide, wideCharacters.plain[n]!]));

/** What `fold` of a dialect means: the case folding of protocol/scim, which tests hold it to. */
export function foldText(text: string): string {
  const plain = text.replace(/[\u3000\uff01-\uffee]/g, (character) => plainOf.get(character) ?? character);
  return plain.normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
}
