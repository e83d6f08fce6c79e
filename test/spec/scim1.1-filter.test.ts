import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import type { Filter } from '../../src/protocol/scim/filter.ts';
import { checkFilter, matchesFilter } from '../../src/protocol/scim/match.ts';
import { coreUserUrn, enterpriseUserUrn, userType } from '../../src/protocol/scim/schema.ts';
import { readFilter } from '../../src/protocol/scim/v1/filter.ts';
import { readQuery } from '../../src/protocol/scim/v1/message.ts';

const read = (text: string): Filter => readFilter([userType], text);

describe('draft-scim-api-01 section 3.2.2.1: filters', () => {
  const babs = {
    schemas: [coreUserUrn],
    userName: 'bjensen',
    title: 'Tour and Guide (Lead)',
    active: false,
    emails: [{ value: 'b@example.com', type: 'work' }],
    meta: { lastModified: '2011-05-13T04:42:34Z' },
    [enterpriseUserUrn]: { department: 'or else', manager: { value: 'm1' } },
  };

  for (const [text, holds] of [
    ['userName eq "BJensen"', true],
    ['userName Eq bjensen', true],
    ['userName EQ "other"', false],
    ['title co "guide"', true],
    ['title sw "Tour" AND userName pr', true],
    ['userName eq other or emails.type eq "work"', true],
    ['(userName eq other) or (emails eq b@example.com and title pr)', true],
    ['userName eq other or title pr and nickName pr', false],
    ['meta.lastModified gt "2011-05-13T04:42:33Z"', true],
    ['meta.lastModified le 2011-05-13T04:42:33Z', false],
    ['active eq false', true],
    ['active eq "false"', true],
    ['urn:scim:schemas:core:1.0:userName eq "bjensen"', true],
    ['urn:scim:schemas:core:1.0:emails.value sw "b@"', true],
    ['urn:scim:schemas:extension:enterprise:1.0:department eq or else', true],
    ['urn:scim:schemas:extension:enterprise:1.0:manager.managerId eq "m1"', true],
    ['manager.managerId eq m2', false],
    ['urn:scim:schemas:extension:enterprise:1.0.department eq "or else"', true],
    ['urn:scim:schemas:extension:enterprise:1.0.manager.managerId eq m1', true],
    ['urn:scim:schemas:core:1.0.userName pr', true],
  ] as const) {
    it(`${text}: ${holds}`, () => {
      const filter = read(text);
      checkFilter(filter, [userType]);
      assert.equal(matchesFilter(filter, babs, userType), holds);
    });
  }

  it('a value without quotation marks is a text, spaces included, up to and, or, a bracket or the end', () => {
    assert.deepEqual(read('displayName eq My Own Group and title pr'), {
      op: 'and',
      parts: [
        { op: 'eq', path: { attr: 'displayName' }, value: 'My Own Group' },
        { op: 'pr', path: { attr: 'title' } },
      ],
    });
    assert.deepEqual(read('userName eq 007'), { op: 'eq', path: { attr: 'userName' }, value: '007' });
    assert.deepEqual(read('(userName eq a b )'), { op: 'eq', path: { attr: 'userName' }, value: 'a b' });
  });

  for (const [text, mentions] of [
    ['userName ne "a"', /operators of SCIM 1\.1/],
    ['userName ew "a"', /operators of SCIM 1\.1/],
    ['not (userName eq "a")', /SCIM 1\.1 has no 'not'/],
    ['emails[type eq "work"]', /no value paths/],
    ['userName eq', /expected a value, found the end/],
    ['userName eq )', /expected a value/],
    ['userName eq a"b', /expected a value/],
    ['userName eq "a', /closing quotation mark/],
    ['(userName pr', /'\)'/],
    ['userName', /operators of SCIM 1\.1/],
    ['', /name of an attribute/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => read(text),
        (error) => error instanceof Problem && error.code === 'invalidFilter' && mentions.test(error.message),
      );
    });
  }

  it('names in attributes and sortBy are the model’s afterwards; excludedAttributes is not known', () => {
    const query = {
      attributes: 'userName, urn:scim:schemas:extension:enterprise:1.0:manager.managerId',
      sortBy: 'urn:scim:schemas:core:1.0:name.familyName',
      sortOrder: 'descending',
      startIndex: '2',
      count: '5',
      excludedAttributes: 'emails',
    };
    assert.deepEqual(readQuery(query), {
      attributes: ['userName', `${enterpriseUserUrn}:manager.value`],
      sortBy: 'name.familyName',
      sortOrder: 'descending',
      startIndex: 2,
      count: 5,
    });
  });
});
