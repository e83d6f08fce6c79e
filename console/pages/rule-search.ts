export const ruleViews = ['rows', 'text', 'template', 'try', 'versions'] as const;

/** The address of a policy: `view` is what is shown of it, `version` which of its versions, the rest the question tried. */
export type RuleSearch = {
  view?: (typeof ruleViews)[number] | undefined;
  version?: number | undefined;
} & Partial<Record<'subject' | 'target' | 'operation' | 'sp' | 'at', string | undefined>>;

/** `replace`: there is no way back to what was shown before. */
export type Turn = (change: RuleSearch, replace?: boolean) => void;
