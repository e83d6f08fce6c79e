/**
 * The case folding of every attribute that is not case exact. Stored keys and filter values must go through the same.
 * Letters of full and half width are the plain ones (RFC 8265 section 3.3.2, which RFC 7644 section 5 asks for of
 * names). A final sigma folds to the ordinary one: lower case alone would make a prefix of a name unlike the name.
 */
export function fold(text: string): string {
  // Nearly all that is compared is ASCII, where lower case is all there is to it.
  if (isAscii(text)) return text.toLowerCase();
  return text.replace(wide, plainOf).normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
}

const wide = /[\u3000\uff01-\uffee]/g;

/** The one character that a wide or narrow one stands for; itself where that would be several. */
function plainOf(character: string): string {
  const plain = character.normalize('NFKC');
  return plain.length === 1 ? plain : character;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/**
 * Order by code point: what SQLite's BINARY and PostgreSQL's C collation do with UTF-8. (JavaScript's `<` puts
 * characters beyond U+FFFF before those from U+E000.)
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return liftSurrogate(x) - liftSurrogate(y);
  }
  return a.length - b.length;
}

function liftSurrogate(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
