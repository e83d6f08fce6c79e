import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { checkFilter, compareText, matchesFilter } from '../../src/protocol/scim/match.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';

const person: Resource = {
  schemas: [coreUserUrn, enterpriseUserUrn],
  id: 'aB1',
  externalId: 'Ext-1',
  userName: 'BJensen',
  name: { familyName: "O'Malley", givenName: 'Zoé' },
  nickName: '',
  active: true,
  userType: 'Employee',
  emails: [
    { value: 'b@example.com', type: 'work', primary: true },
    { value: 'home@foo.org', type: 'home' },
  ],
  x509Certificates: [{ value: 'QUJD' }],
  meta: { resourceType: 'User', created: '2011-05-13T04:42:34Z', lastModified: '2011-05-13T06:42:34.500+02:00' },
  [enterpriseUserUrn]: { department: 'Sales', manager: { value: 'm1' } },
};

const cases: [string, boolean][] = [
  ['userName eq "bjensen"', true],
  ['USERNAME eq "BJENSEN"', true],
  ['userName eq "bjense"', false],
  ['userName ne "bjensen"', false],
  ['name.familyName co "o\'malley"', true],
  ['userName sw "J"', false],
  ['userName sw "bj"', true],
  ['userName ew "SEN"', true],
  [`${coreUserUrn}:userName sw "b"`, true],
  // caseExact (RFC 7643 section 3.1)
  ['id eq "aB1"', true],
  ['id eq "ab1"', false],
  ['externalId eq "ext-1"', false],
  ['x509Certificates.value eq "QUJD"', true],
  ['x509Certificates.value eq "qujd"', false],
  // folding: composed and decomposed text are the same
  ['name.givenName eq "ZOE\\u0301"', true],
  ['name.givenName co "zo\\u00e9"', true],
  // presence
  ['userName pr', true],
  ['title pr', false],
  ['nickName pr', false],
  ['name pr', true],
  ['emails pr', true],
  ['emails.display pr', false],
  ['ims pr', false],
  ['title eq null', true],
  ['title ne null', false],
  ['userName eq null', false],
  ['userName ne null', true],
  // no value: eq never, ne always
  ['title eq "x"', false],
  ['title ne "x"', true],
  ['title co ""', false],
  ['ims.value ne "x"', true],
  ['not (title eq "x")', true],
  // any of several values
  ['emails co "EXAMPLE.com"', true],
  ['emails.value co "foo"', true],
  ['emails.type eq "work" and emails.value eq "home@foo.org"', true],
  ['emails[type eq "work" and value eq "home@foo.org"]', false],
  ['emails[type eq "home" and value ew "foo.org"]', true],
  ['emails[type eq "home" and not (primary eq true)]', true],
  ['emails[primary ne true]', true],
  ['emails[type eq "home" and primary pr]', false],
  ['emails.type ne "work"', true],
  ['emails[type eq "other" or value sw "B@"]', true],
  ['ims[type pr or not (type pr)]', false],
  ['not (emails[type eq "work"])', false],
  // dateTime by the moment
  ['meta.created eq "2011-05-13T06:42:34+02:00"', true],
  ['meta.created gt "2011-05-13T04:42:34Z"', false],
  ['meta.created ge "2011-05-13T04:42:34Z"', true],
  ['meta.lastModified gt "2011-05-13T04:42:34Z"', true],
  ['meta.lastModified lt "2011-05-13T04:42:34.6Z"', true],
  ['meta.lastModified le "2011-05-13T04:42:34.499Z"', false],
  // order of strings
  ['userName gt "bjensem"', true],
  ['userName lt "BJENSEO"', true],
  ['userName ge "bjensen"', true],
  ['userName le "bjensen"', true],
  // booleans, and the strings some clients send for them
  ['active eq true', true],
  ['active eq "True"', true],
  ['active ne false', true],
  // extensions
  [`${enterpriseUserUrn}:department eq "sales"`, true],
  [`${enterpriseUserUrn.toUpperCase()}:DEPARTMENT eq "sales"`, true],
  [`${enterpriseUserUrn}:manager.value eq "m1"`, true],
  [`${enterpriseUserUrn}:manager eq "m1"`, true],
  [`${enterpriseUserUrn}:manager.displayName pr`, false],
  [`schemas eq "${enterpriseUserUrn}"`, true],
  [`schemas eq "urn:example:other"`, false],
  // precedence
  ['title pr or userName pr and active eq true', true],
  ['(title pr or userName pr) and active eq false', false],
  // quirk valuePathComparison
  ['emails[type eq "work"].value eq "b@example.com"', true],
  ['emails[type eq "home"].value eq "b@example.com"', false],
];

const refused: [string, RegExp][] = [
  ['active gt true', /gt has no meaning/],
  ['active co "t"', /co has no meaning/],
  ['x509Certificates.value gt "a"', /binary/],
  ['meta.created gt "yesterday"', /dateTime/],
  ['meta.created gt "2011-02-30T00:00:00Z"', /dateTime/],
  ['userName eq 1', /cannot be compared/],
  ['userName eq true', /cannot be compared/],
  ['title gt null', /null/],
  ['name eq "x"', /complex/],
  ['rooms eq "x"', /no attribute "rooms"/],
  ['name.nope eq "x"', /no attribute "name.nope"/],
  ['emails[nope eq "x"]', /no attribute "nope"/],
  ['emails[emails.value eq "x"]', /no attribute/],
  ['userName[value eq "x"]', /square brackets/],
  ['password sw "a"', /never returned/],
  ['userName pr and not (active lt true)', /lt has no meaning/],
];

describe('RFC 7644 3.4.2.2: what filters mean', () => {
  for (const [text, expected] of cases) {
    it(`${text} is ${expected}`, () => {
      const filter = parseFilter(text);
      checkFilter(filter, [userType]);
      assert.equal(matchesFilter(filter, person, userType), expected);
      assert.equal(matchesFilter({ op: 'not', part: filter }, person, userType), !expected);
    });
  }

  for (const [text, reason] of refused) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => checkFilter(parseFilter(text), [userType]),
        (error) => error instanceof Problem && error.code === 'invalidFilter' && reason.test(error.message),
      );
    });
  }

  it('knows an attribute of any of the types in a query across types (3.4.2.1)', () => {
    const filter = parseFilter('members.value eq "aB1" or userName eq "bjensen"');
    checkFilter(filter, [userType, groupType]);
    assert.throws(() => checkFilter(filter, [userType]), Problem);
    assert.equal(matchesFilter(filter, person, userType), true);
    assert.equal(matchesFilter(parseFilter('members pr'), person, userType), false);
  });

  it('orders text by code point', () => {
    const sorted = ['', 'A', 'B', 'a', 'aa', 'é', '\uE000', '\uFFFD', '😀'];
    assert.deepEqual([...sorted].reverse().sort(compareText), sorted);
    assert.deepEqual(
      [...sorted].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))),
      sorted,
    );
  });
});
