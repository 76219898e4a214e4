import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, dateOf, dayOf, moment, setServerNow } from './dates.ts';
import { lang } from './index.ts';

const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

test('it counts lateness in minutes, hours, then days', () => {
  setServerNow(new Date().toISOString());
  assert.deepEqual(clock(at(-0.51)), { text: '30 min late', state: 'late' });
  assert.deepEqual(clock(at(-17.01)), { text: '17 h late', state: 'late' });
  assert.deepEqual(clock(at(-72.1)), { text: '3 days late', state: 'late' });
});

test('it goes by the server\'s clock, because phones are often wrong', () => {
  setServerNow(at(10));
  assert.equal(clock(at(9)).state, 'late');
  setServerNow(new Date().toISOString());
});

test('it takes a plain date as a day where the reader is', () => {
  assert.match(dayOf('2024-02-29'), /29 Feb/);
});

test('it says nothing about no deadline', () => {
  assert.deepEqual(clock(undefined), { text: '', state: '' });
});

test('it names days and months in Khmer also where the browser cannot', () => {
  const known = Intl.DateTimeFormat.supportedLocalesOf;
  Intl.DateTimeFormat.supportedLocalesOf = () => [];
  lang.value = 'km';
  try {
    assert.equal(dayOf('2024-02-29'), 'ព្រហស្បតិ៍ 29 កុម្ភៈ 2024');
    assert.equal(dateOf('2026-11-28'), '28 វិច្ឆិកា 2026');
    assert.match(moment('2026-11-28T12:00:00Z'), /2026, \d\d:00$/);
  } finally {
    lang.value = 'en';
    Intl.DateTimeFormat.supportedLocalesOf = known;
  }
});
