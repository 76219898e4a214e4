// Values inside expressions: conversions, numbers, comparisons. The rules stand
// in the package comment of internal/forms; this file is value.go once more,
// and the shared vectors hold the two together.

import { compareDates } from "./date";
import type { Value } from "./types";

export type Obj = { [key: string]: Value };

export function isObject(v: Value): v is Obj {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** An object's own value: names like "constructor" must not find the prototype's. */
export function own(o: Obj, key: string): Value {
  return Object.hasOwn(o, key) ? o[key] : undefined;
}

export function isEmpty(v: Value): boolean {
  if (v === null || v === undefined || v === "") return true;
  if (Array.isArray(v)) return v.length === 0;
  return typeof v === "object" && Object.keys(v).length === 0;
}

/** Every kind of empty as null. */
export function norm(v: Value): Value {
  return isEmpty(v) ? null : v;
}

export function truth(v: Value): boolean {
  if (typeof v === "boolean") return v;
  if (typeof v === "number") return v !== 0;
  return !isEmpty(v);
}

/** The element of a list of one; longer lists are empty. */
export function single(v: Value): Value {
  if (!Array.isArray(v)) return v;
  return v.length === 1 ? v[0] : null;
}

export function toNumber(value: Value): number | null {
  const v = single(value);
  if (typeof v === "number") return v;
  if (typeof v === "boolean") return v ? 1 : 0;
  if (typeof v === "string") return parseNumber(v);
  return null;
}

const numeral = /^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)$/;

export function parseNumber(text: string): number | null {
  const s = text.replace(/^ +| +$/g, "");
  if (s.length > 40 || !numeral.test(s)) return null;
  return Number(s) + 0;
}

/** n as a value: empty when it is not finite, and never -0. */
export function finite(n: number): Value {
  return Number.isFinite(n) ? n + 0 : null;
}

export function toText(v: Value): string {
  if (typeof v === "string") return v;
  if (typeof v === "number" || typeof v === "boolean") return String(v);
  if (Array.isArray(v)) return v.map(toText).join(" ");
  return "";
}

/** "=" between two non-empty values that are not lists. */
export function equalScalars(a: Value, b: Value): boolean {
  if (isObject(a) || isObject(b)) return false;
  if (typeof a === "string" && typeof b === "string") {
    const c = compareDates(a, b);
    return c === null ? a === b : c === 0;
  }
  if (typeof a === "boolean" && typeof b === "string") return toText(a) === b;
  if (typeof b === "boolean" && typeof a === "string") return toText(b) === a;
  const x = toNumber(a);
  const y = toNumber(b);
  return x !== null && y !== null && x === y;
}

/** The order of two non-empty values that are not lists; null when they have none. */
export function compareScalars(a: Value, b: Value): number | null {
  if (typeof a === "string" && typeof b === "string") {
    const c = compareDates(a, b);
    if (c !== null) return c;
  }
  const x = toNumber(a);
  const y = toNumber(b);
  if (x === null || y === null) return null;
  return x < y ? -1 : x > y ? 1 : 0;
}

export function elements(v: Value): Value[] {
  if (Array.isArray(v)) return v;
  return isEmpty(v) ? [] : [v];
}

/** Nearest whole number, halves towards +∞. */
export function roundHalfUp(n: number): number {
  const f = Math.floor(n);
  return n - f >= 0.5 ? f + 1 : f;
}

export function sortedKeys(o: Obj): string[] {
  return Object.keys(o).sort();
}

export function clone(v: Value): Value {
  if (Array.isArray(v)) return v.map(clone);
  if (!isObject(v)) return v;
  const out: Obj = {};
  for (const [k, e] of Object.entries(v)) out[k] = clone(e);
  return out;
}

export function same(a: Value, b: Value): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((e, i) => same(e, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const k of keys) if (!same(own(a, k), own(b, k))) return false;
  return true;
}
