// The words of the interface. One catalogue a language; English is complete by
// construction (its keys are the type Key) and stands in where another
// catalogue lacks a key. Plurals follow CLDR through Intl.PluralRules. The
// catalogues of forms and code lists are the server's, not these.
import { signal } from '@preact/signals';
import en from './en.json';

export type Key = Exclude<keyof typeof en, '_catalogue'>;
type Text = string | Record<string, string>;
type Catalogue = Record<string, unknown>;
type Vars = Record<string, string | number | undefined>;

export const languages = [
  { id: 'en', name: 'English' },
  { id: 'vi', name: 'Tiếng Việt' },
  { id: 'km', name: 'ខ្មែរ' },
] as const;

const loaders: Record<string, () => Promise<{ default: Catalogue }>> = {
  vi: () => import('./vi.json'),
  km: () => import('./km.json'),
};

export const lang = signal('en');
const catalogue = signal<Catalogue>(en);

/** Switches the interface; the page's lang attribute follows, and line heights with it. */
export async function setLang(id: string): Promise<void> {
  let next: Catalogue = en;
  try {
    const load = loaders[id];
    if (load) next = (await load()).default;
    else id = 'en';
  } catch {
    return; // the catalogue could not be fetched: keep what we have
  }
  catalogue.value = next;
  lang.value = id;
  if (typeof document !== 'undefined') document.documentElement.lang = id;
}

/** The first guess, before anyone has signed in. */
export function guessLang(wanted: readonly string[]): string {
  for (const w of wanted) {
    const short = w.split('-')[0] ?? '';
    if (languages.some((l) => l.id === short)) return short;
  }
  return 'en';
}

/** The text of a key, with {names} filled in; a plural text is chosen by vars.n. */
export function t(key: Key, vars: Vars = {}): string {
  return fill(pick(catalogue.value[key] as Text | undefined, lang.value, vars) ?? pick(en[key] as Text, 'en', vars) ?? key, vars);
}

/** As t, for keys that come from the server's codes; gives the fallback when there is no such text. */
export function word(key: string, fallback: string, vars: Vars = {}): string {
  const text = pick(catalogue.value[key] as Text | undefined, lang.value, vars) ?? pick((en as Catalogue)[key] as Text | undefined, 'en', vars);
  return text === undefined ? fallback : fill(text, vars);
}

function pick(text: Text | undefined, language: string, vars: Vars): string | undefined {
  if (text === undefined || typeof text === 'string') return text;
  return text[new Intl.PluralRules(language).select(Number(vars.n ?? 0))] ?? text.other;
}

function fill(text: string, vars: Vars): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(vars[name] ?? ''));
}
