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

/**
 * The case folding of names and of every attribute that is not case exact, here and in the databases. Stored keys and
 * what is compared with them must go through the same. Letters of full and half width are the plain ones (RFC 8265
 * section 3.3.2, which RFC 7644 section 5 asks for of names). A final sigma folds to the ordinary one: lower case alone
 * would make a prefix of a name unlike the name.
 */
export function fold(text: string): string {
  // Nearly all that is compared is ASCII, where lower case is all there is to it.
  if (isAscii(text)) return text.toLowerCase();
  const plain = text.replace(/[\u3000\uff01-\uffee]/g, (character) => plainOf.get(character) ?? character);
  return plain.normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
