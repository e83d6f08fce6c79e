import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readXml, readXmlBytes } from '../../src/protocol/xml/read.ts';
import { attributeOf, childElements, textOf, type XmlElement } from '../../src/protocol/xml/tree.ts';
import { escapeAttribute, escapeText, writeElement } from '../../src/protocol/xml/write.ts';
import { checkXPath, openXPathDocument } from '../../src/protocol/xml/xpath.ts';

function read(text: string): XmlElement {
  const result = readXml(text);
  if (!result.ok) throw new Error(`${result.fault.line}: ${result.fault.reason}`);
  return result.root;
}

function fault(text: string, limits?: Parameters<typeof readXml>[1]) {
  const result = readXml(text, limits);
  assert.ok(!result.ok, 'the document was accepted');
  return result.fault;
}

const bomb = `<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n<a>&b;</a>`;

describe('reading XML', () => {
  it('keeps namespaces, attributes, text and lines, and joins text over comments and CDATA', () => {
    const root = read('\ufeff<a xmlns="u"\n  x="1">t<!-- c --><![CDATA[<x>]]>\n<p:b xmlns:p="v" p:q="2&lt;"/></a>');
    assert.deepEqual([root.namespace, root.name, root.line, attributeOf(root, 'x')], ['u', 'a', 1, '1']);
    const [b] = childElements(root);
    assert.deepEqual(
      [b?.namespace, b?.line, b?.attributes[0]?.namespace, b?.attributes[0]?.value],
      ['v', 3, 'v', '2<'],
    );
    assert.equal(textOf(root), 't<x>\n');
    assert.deepEqual(
      [...b!.scope],
      [
        ['', 'u'],
        ['p', 'v'],
      ],
    );
  });

  it('refuses any document type declaration, with its line, before a parser sees it', () => {
    assert.deepEqual(fault(bomb), { line: 2, reason: 'a document type declaration (DOCTYPE) is not accepted' });
    for (const text of [
      '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
      '<!-- x --><!DOCTYPE a><a/>',
      '<a><!ENTITY b "c"></a>',
    ]) {
      assert.match(fault(text).reason, /DOCTYPE/);
    }
    assert.equal(textOf(read('<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>')), '<!DOCTYPE a>');
  });

  it('names the line of what is not well-formed', () => {
    for (const [text, line] of [
      ['<a>\n<b>\n</a>', 3],
      ['<a>\n&nothing;</a>', 2],
      ['<a/>\n<b/>', 2],
      ['<a x="1" x="2"/>', 1],
      ['<p:a/>', 1],
      ['', 1],
      ['<a>\u0001</a>', 1],
    ] as const) {
      assert.equal(fault(text).line, line, text);
    }
  });

  it('bounds length, depth and number of nodes', () => {
    const limits = { maxLength: 1000, maxDepth: 5, maxNodes: 20 };
    assert.match(fault('x'.repeat(1001), limits).reason, /1001 characters/);
    assert.match(fault('<a>'.repeat(6), limits).reason, /deeper than 5/);
    assert.match(fault(`<a>${'<b/>'.repeat(20)}</a>`, limits).reason, /more than 20/);
    assert.match(
      fault(`<a ${Array.from({ length: 20 }, (_, i) => `b${i}="/>"`).join(' ')}/>`, limits).reason,
      /more than 20/,
    );
    assert.ok(readXml('<a><a><a><a><a x=">"/></a></a></a></a>', limits).ok);
    const started = performance.now();
    assert.match(fault('<a>'.repeat(300_000)).reason, /deeper than 100/);
    assert.ok(performance.now() - started < 2000);
  });

  it('reads only UTF-8', () => {
    assert.match(fault('<?xml version="1.0" encoding="UTF-16"?><a/>').reason, /UTF-16/);
    assert.match(fault('<a>\ud800</a>').reason, /surrogate/);
    assert.ok(readXmlBytes(Buffer.from('<?xml version="1.0" encoding="utf-8"?><a>é😀</a>')).ok);
    const latin = readXmlBytes(Buffer.from('<a>\xe9</a>', 'latin1'));
    assert.ok(!latin.ok && latin.fault.reason.includes('not UTF-8'));
  });

  it('writes what it read, with the namespaces it had', () => {
    const text =
      '<a xmlns="u" x="&lt;&quot;&amp;&#10;">t&amp;&lt;<p:b xmlns:p="v" p:q="2"><c xmlns="" d="e"/></p:b></a>';
    assert.equal(writeElement(read(text)), text);
    const inner = childElements(read('<q:a xmlns:q="u" xmlns="w"><q:b><c/></q:b></q:a>'))[0]!;
    assert.equal(writeElement(inner), '<q:b xmlns:q="u" xmlns="w"><c/></q:b>');
  });

  it('returns the text it escaped (property)', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(text, text, (inner, attribute) => {
        const clean = (t: string) =>
          // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML cannot carry
          t.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
        const root = read(`<a b="${escapeAttribute(attribute)}">${escapeText(inner)}</a>`);
        assert.equal(textOf(root), clean(inner));
        assert.equal(attributeOf(root, 'b'), clean(attribute));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('never throws, whatever the text (fuzz)', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '"',
      "'",
      '=',
      '&',
      ';',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '<a>',
      '</a>',
      '<!',
      'xmlns',
      ':',
      '&#0;',
      '&lt;',
      '\n',
      '<!DOCTYPE a>',
      '\u0000',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const text = pieces.join('');
        const result = readXml(text);
        if (result.ok) assert.ok(!text.replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>/gs, '').includes('<!'));
        else assert.ok(result.fault.line >= 1 && result.fault.reason !== '');
      }),
      { numRuns: 3000, seed: 2 },
    );
  });
});

describe('XPath 1.0', () => {
  const names = new Map([['m', 'u']]);
  const text = '<m:a xmlns:m="u"><m:b k="1">x</m:b><m:b k="2">y<m:c/></m:b></m:a>';

  it('selects nodes and values', () => {
    const document = openXPathDocument(text, 9);
    try {
      const values = (path: string) => {
        const found = document.select(path, names);
        return found.kind === 'nodes' ? found.nodes.map((n) => `${n.kind} ${n.value}`) : found;
      };
      assert.deepEqual(values('//m:b/text()'), ['text x', 'text y']);
      assert.deepEqual(values('m:a/m:b[2]/@k'), ['attribute 2']);
      assert.deepEqual(values('count(//m:b)'), { kind: 'value', value: 2 });
      assert.equal(document.select('//zz:b', names).kind, 'fault');
      const context = { path: '//m:b[2]', namespaces: names };
      assert.deepEqual(document.select('m:c', names, context).kind, 'nodes');
      assert.equal(
        document.compare('within', { path: '/m:a', namespaces: names }, { path: '//@k', namespaces: names }),
        true,
      );
      assert.equal(
        document.compare('same', { path: '/m:a', namespaces: names }, { path: '//@k', namespaces: names }),
        false,
      );
    } finally {
      document.close();
    }
  });

  it('checks an expression and its prefixes beforehand', () => {
    assert.equal(checkXPath('//m:a[. = "q:x"]', names), undefined);
    assert.match(checkXPath('//q:a', names)!, /prefix q/);
    assert.match(checkXPath('//a[', names)!, /not an XPath/);
  });

  it('refuses work that grows beyond bounds', () => {
    const document = openXPathDocument(`<a>${'<b/>'.repeat(3000)}</a>`, 3001);
    try {
      const started = performance.now();
      const found = document.select('//*[count(//*[count(//*) > 1]) > 1]', new Map());
      assert.equal(found.kind, 'fault');
      assert.ok(performance.now() - started < 1000);
    } finally {
      document.close();
    }
  });
});
