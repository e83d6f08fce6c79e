import { Type } from 'typebox';
import {
  AccountAnswer,
  AccountDetail,
  AccountPage,
  AdoptInput,
  ForwardedAnswer,
  LeaveInput,
  PreviewAnswer,
  RetryAnswer,
} from './account.ts';
import { AttemptDetail, AttemptPage } from './attempt.ts';
import { CausesAnswer } from './cause.ts';
import { ChangePage } from './change.ts';
import { after, given, list, type Operation } from './operation.ts';
import { StatusAnswer, ThroughputAnswer } from './status.ts';

const chooseAccounts = {
  target: 'Id or name of a target',
  state: 'One state, or several with commas',
  kind: 'user or group',
  subject: 'Id or name of a user or group',
  due: 'true or false: whether something is still to be delivered',
  left: 'true or false: of those that are parked, whether somebody left them so',
  remoteId: 'The id it has at the target, exactly',
  cause: 'Of those in trouble at the target, those of this cause: a key of /causes. Goes with target alone',
  after,
};

/** Where everybody stands, what was tried, and how it goes. */
export const deliveriesOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/accounts',
    summary: 'Where users and groups stand at the targets',
    query: { ...chooseAccounts, limit: list },
    answers: { 200: AccountPage },
  },
  {
    method: 'get',
    path: '/accounts/{target}/{subject}',
    summary: 'One account, with its last attempts',
    answers: { 200: AccountDetail },
  },
  {
    method: 'get',
    path: '/accounts/{target}/{subject}/preview',
    summary: 'What would be sent now; nothing is',
    answers: { 200: PreviewAnswer },
  },
  {
    method: 'post',
    path: '/accounts/retry',
    summary: 'Make up to 200 accounts of these states, or of this cause, due at once; goes on with `next`',
    query: chooseAccounts,
    answers: { 202: RetryAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/forwarded/{subject}/give-up',
    summary: 'Erases what is kept of a user or group that is only forwarded, though some target does not have it',
    answers: { 200: ForwardedAnswer },
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/retry',
    summary: 'Make an account due at once, whatever its state',
    answers: { 202: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/adopt',
    summary: 'Take over the account that is at the target under its name already; the next attempt does it',
    body: given(AdoptInput),
    answers: { 202: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/leave',
    summary: 'Leave a parked account parked: it is no longer among those to look at, until something about it changes',
    body: { shape: LeaveInput, required: false },
    answers: { 200: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'get',
    path: '/attempts',
    summary: 'Attempts, the latest first',
    query: {
      target: 'Id or name',
      subject: 'Id of a user or group',
      outcome: 'How they ended',
      text: 'Part of the reason, without regard to case',
      status: 'An HTTP status that the target answered with',
      after,
      limit: list,
    },
    answers: { 200: AttemptPage },
  },
  { method: 'get', path: '/attempts/{id}', summary: 'One attempt and all it said', answers: { 200: AttemptDetail } },
  {
    method: 'get',
    path: '/changes',
    summary: 'The change log, from the one after `after`; without it the last ones',
    query: { after: 'The sequence of a change', limit: list, subject: 'Id of a user or group' },
    answers: { 200: ChangePage },
  },
  {
    method: 'get',
    path: '/throughput',
    summary: 'How many attempts ended well and how many otherwise, by when they began',
    query: { span: 'hour (by minute; the default) or day (by quarter of an hour)', target: 'Id or name of a target' },
    answers: { 200: ThroughputAnswer },
  },
  {
    method: 'get',
    path: '/events',
    summary: 'Server-sent events: hello, then news with a list of what got newer (changes, deliveries, targets)',
    answers: { 200: Type.String() },
    media: 'text/event-stream',
  },
  {
    method: 'get',
    path: '/causes',
    summary: 'Accounts that are parked or fail, by cause',
    answers: { 200: CausesAnswer },
  },
  { method: 'get', path: '/status', summary: 'How server and targets are doing', answers: { 200: StatusAnswer } },
];
