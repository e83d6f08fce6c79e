import { type Static, Type } from 'typebox';
import { listOf } from './page.ts';

/** One field of a connector's form, drawn in this order. */
export const SettingAnswer = Type.Object({
  key: Type.String(),
  label: Type.String(),
  type: Type.Union([
    Type.Literal('text'),
    Type.Literal('secret'),
    Type.Literal('boolean'),
    Type.Literal('choice'),
    Type.Literal('number'),
    Type.Literal('url'),
  ]),
  required: Type.Boolean(),
  help: Type.Optional(Type.String()),
  /** A text of several lines. */
  multiline: Type.Optional(Type.Literal(true)),
  default: Type.Optional(Type.Union([Type.String(), Type.Boolean(), Type.Number()])),
  options: Type.Optional(Type.Array(Type.Object({ value: Type.String(), label: Type.String() }))),
  /** It says which system this is; changing it is questioned while accounts are known there. */
  system: Type.Optional(Type.Literal(true)),
  /** Shown (and, if required, demanded) only while another setting has one of these values. */
  when: Type.Optional(Type.Object({ key: Type.String(), in: Type.Array(Type.Union([Type.String(), Type.Boolean()])) })),
});
export type SettingAnswer = Static<typeof SettingAnswer>;

export const ConnectorKindAnswer = Type.Object({
  type: Type.String(),
  label: Type.String(),
  settings: Type.Array(SettingAnswer),
});
export type ConnectorKindAnswer = Static<typeof ConnectorKindAnswer>;
export const ConnectorKindList = listOf(ConnectorKindAnswer);
