import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, isEmpty, steps, stepsIn, withAnswer, type Form } from './model.ts';
import { changes } from './engine.ts';
import { instant, localTime } from './fields.tsx';
import type { Description } from '../forms/types.ts';

test('it reads paths through rows, groups and matrices', () => {
  assert.deepEqual(steps('caregivers[2].age.years'), ['caregivers', 2, 'age', 'years']);
});

test('it changes one answer and leaves the old answers alone', () => {
  const before = { rows: [{ _id: 'a', name: 'x' }], sex: 'male' };
  const after = withAnswer(before, 'rows[0].name', 'y');
  assert.deepEqual(after, { rows: [{ _id: 'a', name: 'y' }], sex: 'male' });
  assert.equal(before.rows[0]!.name, 'x');
  assert.equal(at(after, 'rows[0].name'), 'y');
});

test('it leaves out what becomes empty, up to the top', () => {
  assert.deepEqual(withAnswer({ g: { a: 'x' } }, 'g.a', ''), {});
  assert.deepEqual(withAnswer({ n: 1 }, 'n', undefined), {});
});

test('it keeps false and zero, which are answers', () => {
  assert.equal(isEmpty(false), false);
  assert.equal(isEmpty(0), false);
  assert.deepEqual(withAnswer({}, 'b', false), { b: false });
});

const form: Description = {
  id: 'F', version: 1, lang: 'en', title: 'F', stream: 'case', filled_by: [], order: [0, 1, 2, 3], lists: {}, approval_field: 'state',
  fields: [{ name: 'a', type: 'text' }, { name: 'b', type: 'integer' }, { name: 'c', type: 'calculate' }, { name: 'state', type: 'select_one', list: 's' }],
};

test('it amends only what differs, and clears with null', () => {
  assert.deepEqual(changes(form, { a: 'x', b: 1 }, { a: 'y' }), { a: 'y', b: null });
  assert.deepEqual(changes(form, { a: 'x', b: 1 }, { a: 'x', b: 1 }), {});
});

test('it never sends what the form computes or the approver decides', () => {
  assert.deepEqual(changes(form, { a: 'x' }, { a: 'x', c: '7', state: 'approved' }), {});
});

test('it keeps the writer\'s own offset in a moment', () => {
  const said = instant('2026-11-22T07:40');
  assert.match(said!, /^2026-11-22T07:40:00[+-]\d\d:\d\d$/);
  assert.equal(localTime(said!), '2026-11-22T07:40');
  assert.equal(instant(''), undefined);
});

test('a row code with a dot is one step of its matrix', () => {
  const form = { fields: [{ name: 'answers', type: 'matrix', rows: 'indicators' }, { name: 'rows', type: 'repeat', fields: [{ name: 'age', type: 'age' }] }] } as unknown as Form;
  assert.deepEqual(stepsIn(form, 'answers.D4.low_salary'), ['answers', 'D4.low_salary']);
  assert.deepEqual(stepsIn(form, 'rows[0].age.years'), ['rows', 0, 'age', 'years']);
  assert.deepEqual(withAnswer({}, 'answers.D4.low_salary', 'yes', form), { answers: { 'D4.low_salary': 'yes' } });
});
