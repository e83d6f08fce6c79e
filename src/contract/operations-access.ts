import { Type } from 'typebox';
import { given, type Operation } from './operation.ts';
import { PasswordInput } from './password.ts';
import {
  OperatorAnswer,
  OperatorInput,
  OperatorList,
  OperatorMade,
  OperatorRoleInput,
  SessionAnswer,
  SignInInput,
} from './session.ts';
import { TokenAnswer, TokenInput, TokenList } from './token.ts';

/** Who may come in: sessions, operators, API tokens. */
export const accessOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/openapi.json',
    summary: 'This description',
    answers: { 200: Type.Record(Type.String(), Type.Unknown()) },
    is: 'open',
  },
  {
    method: 'post',
    path: '/password',
    summary: 'Change the own password; also while a change is demanded',
    body: given(PasswordInput),
    answers: { 204: null },
    needs: 'read',
  },
  {
    method: 'post',
    path: '/session',
    summary: 'Sign in: begins a session, whose cookie goes with every request that bears the header purvey-client',
    body: given(SignInInput),
    answers: { 200: SessionAnswer },
    is: 'open',
  },
  { method: 'get', path: '/session', summary: 'Who calls', answers: { 200: SessionAnswer } },
  {
    method: 'delete',
    path: '/session',
    summary: 'Sign out: ends the session, if there is one',
    answers: { 204: null },
    is: 'open',
  },
  { method: 'get', path: '/operators', summary: 'Who may sign in, and as what', answers: { 200: OperatorList } },
  {
    method: 'post',
    path: '/operators',
    summary: 'Add an operator; the answer is the only place where the one-time password is shown',
    body: given(OperatorInput),
    answers: { 201: OperatorMade },
  },
  {
    method: 'patch',
    path: '/operators/{id}',
    summary: 'Give an operator another role; holds everywhere within five seconds',
    body: given(OperatorRoleInput),
    answers: { 200: OperatorAnswer },
  },
  {
    method: 'delete',
    path: '/operators/{id}',
    summary: 'Remove an operator, who is signed out; the last administrator stays',
    answers: { 204: null },
  },
  {
    method: 'post',
    path: '/operators/{id}/password',
    summary: 'Give an operator a new one-time password, and sign them out',
    answers: { 200: OperatorMade },
  },
  { method: 'get', path: '/tokens', summary: 'API tokens, without the tokens themselves', answers: { 200: TokenList } },
  {
    method: 'post',
    path: '/tokens',
    summary: 'Make an API token; the answer is the only place where it is shown',
    body: given(TokenInput),
    answers: { 201: TokenAnswer },
  },
  {
    method: 'delete',
    path: '/tokens/{id}',
    summary: 'Revoke an API token; every server refuses it within five seconds',
    answers: { 204: null },
  },
];
