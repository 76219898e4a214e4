import assert from 'node:assert/strict';
import { test } from 'node:test';
import en from './en.json';
import km from './km.json';
import vi from './vi.json';
import { guessLang, setLang, t, word } from './index.ts';

type Catalogue = Record<string, string | Record<string, string>>;
const holes = (text: unknown): string[] =>
  [...new Set((typeof text === 'string' ? text : Object.values(text as object).join(' ')).match(/\{\w+\}/g) ?? [])].sort();
const keys = (c: object): string[] => Object.keys(c).filter((k) => k !== '_catalogue');

test('it has every English text in Vietnamese', () => {
  assert.deepEqual(keys(vi).sort(), keys(en).sort());
});

test('it has no Khmer text without an English one', () => {
  assert.deepEqual(keys(km).filter((k) => !(k in en)), []);
});

test('it speaks Khmer to everybody who works with a case: English is left to administration only', () => {
  const office = /^(admin|content|policy|userstate|why)\.|^did\.(invitation|organisation|team|user)\./;
  assert.deepEqual(keys(en).filter((k) => !(k in km) && !office.test(k)), []);
});

for (const [id, catalogue] of [['en', en], ['vi', vi], ['km', km]] as const) {
  test(`it says how the ${id} texts came about`, () => {
    assert.equal(catalogue._catalogue.language, id);
    assert.notEqual(catalogue._catalogue.status, '');
  });
  test(`it fills the same places in ${id} as in English`, () => {
    for (const k of keys(catalogue)) {
      assert.deepEqual(holes((catalogue as unknown as Catalogue)[k]), holes((en as unknown as Catalogue)[k]), k);
    }
  });
  test(`it has every plural form that ${id} needs`, () => {
    const forms = new Intl.PluralRules(id).resolvedOptions().pluralCategories;
    for (const [k, text] of Object.entries(catalogue as unknown as Catalogue)) {
      if (k !== '_catalogue' && typeof text === 'object') assert.deepEqual(Object.keys(text).sort(), [...forms].sort(), k);
    }
  });
}

test('it chooses the plural form by the number', () => {
  assert.equal(t('sync.unsent', { n: 2 }), '2 not sent yet');
  assert.equal(t('things.missing', { n: 1 }), '1 thing missing');
  assert.equal(t('things.missing', { n: 2 }), '2 things missing');
});

test('it shows English where a catalogue lacks a text', async () => {
  await setLang('km');
  assert.equal(t('nav.today'), km['nav.today']);
  assert.equal(t('nav.today'), 'ថ្ងៃនេះ');
  assert.equal(t('admin.invite.go'), en['admin.invite.go']);
  await setLang('en');
});

test('it gives the code itself where no catalogue knows it', () => {
  assert.equal(word('role.gardener', 'gardener'), 'gardener');
});

test('it guesses the language that the browser wants first', () => {
  assert.equal(guessLang(['fr-FR', 'vi-VN', 'en']), 'vi');
  assert.equal(guessLang(['fr']), 'en');
});
