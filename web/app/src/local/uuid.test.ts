import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuid } from './uuid.ts';

test('it makes ids of version 7 that sort by time', () => {
  const early = uuid(1_700_000_000_000);
  const late = uuid(1_700_000_000_001);
  assert.match(early, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(early < late);
  assert.equal(parseInt(early.replace('-', '').slice(0, 12), 16), 1_700_000_000_000);
});

test('it makes a different id each time', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => uuid())).size, 1000);
});
