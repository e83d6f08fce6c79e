import { Secret } from '../base/secret.ts';
import type { Setting, SettingFault, SettingValues } from './connector.ts';

/** Values with each absent or empty one replaced by its setting's default. Keys that no setting has are kept. */
export function withDefaults(settings: readonly Setting[], values: SettingValues): SettingValues {
  const filled: Record<string, SettingValues[string]> = { ...values };
  for (const setting of settings) {
    if (isGiven(filled[setting.key])) continue;
    if (setting.default === undefined) delete filled[setting.key];
    else filled[setting.key] = setting.default;
  }
  return filled;
}

/** Whether a setting counts at all, given the others: its `when` holds (also that of the setting it depends on). */
export function isShown(settings: readonly Setting[], values: SettingValues, setting: Setting): boolean {
  const { when } = setting;
  if (!when) return true;
  const value = values[when.key];
  if (typeof value !== 'string' && typeof value !== 'boolean') return false;
  const parent = settings.find((other) => other.key === when.key);
  return when.in.includes(value) && (!parent || isShown(settings, values, parent));
}

/**
 * What any form can say about its values: unknown keys, required ones that are missing, wrong types, choices that do
 * not exist, addresses that are none. Defaults are filled in first.
 */
export function checkForm(settings: readonly Setting[], given: SettingValues): SettingFault[] {
  const values = withDefaults(settings, given);
  const faults: SettingFault[] = [];
  for (const key of Object.keys(values)) {
    if (values[key] !== undefined && !settings.some((setting) => setting.key === key)) {
      faults.push({ key, message: `there is no setting ${key}; known are ${settings.map((s) => s.key).join(', ')}` });
    }
  }
  for (const setting of settings) {
    const value = values[setting.key];
    if (!isShown(settings, values, setting)) continue;
    if (!isGiven(value)) {
      if (setting.required) faults.push({ key: setting.key, message: `${setting.label} is required` });
      continue;
    }
    const message = faultOfValue(setting, value);
    if (message !== undefined) faults.push({ key: setting.key, message: `${setting.label} ${message}` });
  }
  return faults;
}

/** The text of a text, url, choice or secret setting; undefined when not given. */
export function textOf(values: SettingValues, key: string): string | undefined {
  const value = values[key];
  const text = value instanceof Secret ? value.reveal() : value;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The value of a secret setting; undefined when not given. */
export function secretOf(values: SettingValues, key: string): Secret | undefined {
  const value = values[key];
  if (value instanceof Secret) return value.reveal() === '' ? undefined : value;
  return typeof value === 'string' && value !== '' ? new Secret(value) : undefined;
}

/** A value that the check of the settings has seen to. */
export function demand<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new Error(`the setting ${key} is missing; check the settings before opening`);
  return value;
}

/** An address without slashes at the end of its path. */
export function trimSlash(url: string): string {
  return url.replace(/\/+(?=\?|$)/, '');
}

function isGiven(value: SettingValues[string]): boolean {
  return value !== undefined && value !== '' && !(value instanceof Secret && value.reveal() === '');
}

function faultOfValue(setting: Setting, value: SettingValues[string]): string | undefined {
  switch (setting.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number';
    case 'choice': {
      const known = (setting.options ?? []).map((option) => option.value);
      return typeof value === 'string' && known.includes(value) ? undefined : `must be one of ${known.join(', ')}`;
    }
    case 'secret': {
      const text = value instanceof Secret ? value.reveal() : value;
      return typeof text === 'string' ? faultOfText(text) : 'must be a text';
    }
    case 'text':
      if (typeof value !== 'string') return 'must be a text';
      return faultOfText(setting.multiline ? value.replace(/[\t\n\r]/g, ' ') : value);
    case 'url':
      return typeof value === 'string' ? faultOfUrl(value) : 'must be a text';
  }
}

function faultOfText(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text) ? 'must not hold line breaks or other control characters' : undefined;
}

function faultOfUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'must be a whole address, such as https://partner.example/scim2/Users';
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password; they have fields';
  if (url.hash !== '') return 'must not hold a # part';
  return undefined;
}
