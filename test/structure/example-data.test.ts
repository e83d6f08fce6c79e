import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { makeFiles, makeGroups, makePeople, writeCsv } from '../../examples/acme/make.ts';

const folder = new URL('../../examples/acme/', import.meta.url);

describe('the example data', () => {
  const people = makePeople();
  const groups = makeGroups(people);

  test('the files are what the generator makes', () => {
    for (const [name, text] of Object.entries(makeFiles())) {
      assert.ok(
        readFileSync(new URL(name, folder), 'utf8') === text,
        `${name} differs: npx node examples/acme/make.ts`,
      );
    }
  });

  test('the README names every column', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8');
    for (const column of [...Object.keys(people[0]!), 'name', 'description', 'members']) {
      assert.ok(readme.includes(`\`${column}\``), column);
    }
  });

  test('1,000 people with ASCII user names, unique without case, and names in many scripts', () => {
    assert.equal(people.length, 1_000);
    assert.equal(new Set(people.map((person) => person.userName.toLowerCase())).size, 1_000);
    assert.equal(new Set(people.map((person) => person.email)).size, 1_000);
    for (const { userName, email } of people) {
      assert.match(userName, /^(SALES\/)?[a-z][a-z-]*\.[a-z][a-z-]*\d*$/);
      assert.match(email, /^[a-z.-]+\d*@acme\.example$/);
    }
    const scripts = [
      'Latin',
      'Cyrillic',
      'Greek',
      'Arabic',
      'Hebrew',
      'Devanagari',
      'Han',
      'Hangul',
      'Thai',
      'Georgian',
    ];
    for (const script of [...scripts, 'Hiragana']) {
      const found = people.filter((person) => new RegExp(`\\p{Script=${script}}`, 'u').test(person.displayName));
      assert.ok(found.length >= 3, `${found.length} names in ${script}`);
    }
    const inSales = people.filter((person) => person.userName.startsWith('SALES/')).length;
    const inactive = people.filter((person) => person.active === 'false').length;
    assert.ok(inSales >= 5 && inSales <= 60, `${inSales} in SALES`);
    assert.ok(inactive >= 3 && inactive <= 40, `${inactive} inactive`);
  });

  test('managers are a tree: everybody but the first has one, on an earlier line', () => {
    const seen = new Set<string>();
    for (const person of people) {
      if (seen.size === 0) assert.equal(person.manager, '');
      else assert.ok(seen.has(person.manager), `${person.userName} reports to ${person.manager}`);
      seen.add(person.userName);
    }
  });

  test('phone numbers come from ranges kept free for fiction', () => {
    const free =
      /^(\+1 \d{3} 555 01\d\d|\+49 30 23125 \d{3}|\+33 1 99 00 \d\d \d\d|\+46 8 465 004 \d\d|\+44 20 7946 0\d{3})$/;
    for (const { phone, mobile } of people) {
      assert.match(phone, free);
      if (mobile !== '') assert.match(mobile, free);
    }
  });

  test('40 groups, one of 600, some nested, members known and named once', () => {
    assert.equal(groups.length, 40);
    assert.equal(new Set(groups.map((group) => group.name.toLowerCase())).size, 40);
    assert.ok(groups.some((group) => group.members.length === 600));
    assert.ok(groups.filter((group) => group.members.some((member) => member.startsWith('group:'))).length >= 5);
    const users = new Set(people.map((person) => person.userName));
    const earlier = new Set<string>();
    for (const { name, members } of groups) {
      assert.ok(!name.includes(';'));
      assert.equal(new Set(members).size, members.length, `${name} names somebody twice`);
      for (const member of members) {
        assert.ok(member.startsWith('group:') ? earlier.has(member) : users.has(member), `${name}: ${member}`);
      }
      earlier.add(`group:${name}`);
    }
  });

  test('fields with commas, quotes and line breaks are quoted', () => {
    assert.equal(writeCsv(['a', 'b'], [['x,y', 'say "hi"\n']]), 'a,b\n"x,y","say ""hi""\n"\n');
  });
});
