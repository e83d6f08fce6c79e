/** What helps against causes that are known and whose reason does not say it itself. */
const fixes: readonly (readonly [RegExp, string])[] = [
  [/held by the account of our own subject|belongs to the account of/, 'Two want one name there: rename one of them.'],
  [/\b401\b|credential|signed? in|token/i, 'Check the username, password or token in its connector.'],
  [/certificate|TLS|self.signed/i, 'Its certificate is not trusted or does not fit the address.'],
  [
    /ECONNREFUSED|not connected|refused the connection|ENOTFOUND|cannot be reached|unreachable/i,
    'It may be down, or the address in its connector is wrong. Test the connection.',
  ],
  [/\b403\b/, 'Its administrator must let the account that Purvey signs in with do this.'],
  [/has no group named/, 'Make the group there, or rename one of the two.'],
  [/takes a group only as a whole/, 'It needs PATCH for this: choose another mode for groups in its limits.'],
  [/cannot be decided|policies cannot be used/, 'A rule had an error: read it, and try it on one of them.'],
  [/given up after/, 'It fails on these and not on others: read the attempts, and ask its owner.'],
  [/send the whole again by PUT/, 'Have the client that forwarded it send the whole again.'],
  [/answered (?:400|413|422)\b/, 'Mend the value it names, here, or what it demands, there.'],
];

/** Null where only the target's own words help. `throttled`: it asked for patience. */
export function fixOf(reason: string, throttled = false): string | null {
  if (throttled) return 'It asked for patience. Nothing is broken; a lower rate in its limits avoids it.';
  return fixes.find(([pattern]) => pattern.test(reason))?.[1] ?? null;
}
