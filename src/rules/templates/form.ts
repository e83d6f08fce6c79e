/** The five ready-made policies, as they are offered. */
export const templates = [
  {
    kind: 'role',
    title: 'By role',
    explains: 'Only people who are in one of these roles or groups are provisioned.',
    fields: ['roles'],
  },
  {
    kind: 'claim',
    title: 'By attribute',
    explains: 'Only people for whom an attribute has one of these values are provisioned.',
    fields: ['claim', 'values'],
  },
  {
    kind: 'time',
    title: 'By time of day',
    explains: 'People are provisioned only between these times.',
    fields: ['from', 'to'],
  },
  {
    kind: 'time-and-role',
    title: 'By time of day and role',
    explains: 'Only people in one of these roles or groups are provisioned, and only between these times.',
    fields: ['roles', 'from', 'to'],
  },
  {
    kind: 'time-and-claim',
    title: 'By time of day and attribute',
    explains:
      'Only people for whom an attribute has one of these values are provisioned, and only between these times.',
    fields: ['claim', 'values', 'from', 'to'],
  },
] as const;

export type TemplateKind = (typeof templates)[number]['kind'];

/** What a person fills in. Fields the template does not have are ignored. */
export interface TemplateForm {
  readonly template: TemplateKind;
  readonly policyId: string;
  /** Default `1.0`. */
  readonly version?: string;
  readonly description?: string;
  /** The service provider it is about; without it, every one. */
  readonly serviceProvider?: string;
  /** The identity provider it is about; without it, every one. */
  readonly identityProvider?: string;
  readonly roles?: readonly string[];
  /** A SCIM path or claim URI. */
  readonly claim?: string;
  readonly values?: readonly string[];
  /** `HH:MM` or `HH:MM:SS`, in the server's zone unless one follows. A `to` before `from` is on the next day. */
  readonly from?: string;
  readonly to?: string;
  /**
   * Whether a removal is permitted regardless of the conditions. Default `always`: who lost the role, or is removed at
   * night, must not keep the account.
   */
  readonly removals?: 'always' | 'as-other-operations';
}
