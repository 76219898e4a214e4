import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, dayOf, setServerNow } from './dates.ts';

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
