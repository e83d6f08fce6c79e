/** What is said where attempts or changes are missing because they were old. `days` as they are set now. */
export function keptFor(what: 'attempts' | 'changes', days: number): { rule: string; older: string } {
  const setting = what === 'attempts' ? 'PURVEY_KEEP_ATTEMPTS_DAYS' : 'PURVEY_KEEP_CHANGES_DAYS';
  const rule =
    days === 0
      ? `${what} were kept for a limited time before ${setting} was set to 0`
      : `${what} are kept for ${days} days (${setting})`;
  return { rule, older: `older ${what} are no longer there: ${rule}` };
}
