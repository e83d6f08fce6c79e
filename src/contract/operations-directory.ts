import { after, given, list, type Operation } from './operation.ts';
import { pageOf, SubjectRef } from './page.ts';
import { SignInLinkAnswer, SignInLinkInput, SignInLinkList, SignInLinkPage } from './sign-in-link.ts';
import {
  DomainAnswer,
  DomainInput,
  DomainList,
  GroupInput,
  GroupPatch,
  SubjectDetail,
  SubjectList,
  UserInput,
  UserPatch,
} from './subject.ts';

/** Users, groups and user store domains. */
export const directoryOperations: readonly Operation[] = [
  ...(['users', 'groups'] as const).flatMap((place): Operation[] => [
    {
      method: 'get',
      path: `/${place}`,
      summary: `The ${place} of the directory`,
      query: {
        filter: 'A SCIM filter (RFC 7644 section 3.4.2.2)',
        name: `The beginning of a name${place === 'users' ? ' or displayName' : ''}, without regard to case; instead of a filter. In the order of names; empty: everybody`,
        startIndex: 'Counts from 1',
        limit: list,
      },
      answers: { 200: SubjectList },
    },
    {
      method: 'get',
      path: `/${place}/{id}`,
      summary: `One of the ${place}, by id or name, and where it stands`,
      answers: { 200: SubjectDetail },
    },
    {
      method: 'post',
      path: `/${place}`,
      summary: `Add ${place === 'users' ? 'a user' : 'a group'}; waits for blocking targets, as SCIM does`,
      body: given(place === 'users' ? UserInput : GroupInput),
      answers: { 201: SubjectDetail },
    },
    {
      method: 'patch',
      path: `/${place}/{id}`,
      summary: place === 'users' ? 'Change parts of a user' : 'Rename a group, and say who comes and goes',
      body: given(place === 'users' ? UserPatch : GroupPatch),
      answers: { 200: SubjectDetail },
    },
    {
      method: 'delete',
      path: `/${place}/{id}`,
      summary: `Remove ${place === 'users' ? 'a user' : 'a group; its members stay'}`,
      answers: { 204: null },
    },
  ]),
  {
    method: 'post',
    path: '/users/{id}/unlock',
    summary: 'Let a user sign in again who was locked by wrong passwords; safe to repeat',
    answers: { 204: null },
  },
  {
    method: 'get',
    path: '/users/{id}/links',
    summary: 'How a user signs in through identity providers, the latest first, with links that were ended',
    answers: { 200: SignInLinkList },
  },
  {
    method: 'post',
    path: '/users/{id}/links',
    summary: 'Link a user to somebody at an identity provider; 200 when they are linked already',
    body: given(SignInLinkInput),
    answers: { 200: SignInLinkAnswer, 201: SignInLinkAnswer },
  },
  {
    method: 'delete',
    path: '/users/{id}/links/{link}',
    summary: 'End a link: whoever comes by it next is unknown; who is signed in stays so',
    answers: { 204: null },
  },
  {
    method: 'get',
    path: '/identity-providers/{id}/links',
    summary: 'Whom the people of an identity provider are here, in the order of user names',
    query: { search: 'The beginning of a user name, or of a subject', after, limit: list },
    answers: { 200: SignInLinkPage },
  },
  {
    method: 'get',
    path: '/groups/{id}/members',
    summary: 'All members of a group',
    query: { after, limit: list },
    answers: { 200: pageOf(SubjectRef) },
  },
  { method: 'get', path: '/user-store-domains', summary: 'User store domains', answers: { 200: DomainList } },
  {
    method: 'post',
    path: '/user-store-domains',
    summary: 'Add a user store domain; 200 when it is there already',
    body: given(DomainInput),
    answers: { 200: DomainAnswer, 201: DomainAnswer },
    is: 'configures',
  },
];
