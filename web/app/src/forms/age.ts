// How old somebody is on a day, and who counts as a child; age.go once more.

import { monthsBetween, parseDate, yearsBetween } from "./date";
import { own, toNumber } from "./value";
import type { Answers } from "./types";

export const majority = 18;
export const presumedChild = "presumed_child";

/** Whole years of an age answer on a day (days since 1970-01-01), or null. */
export function ageOn(age: Answers, day: number): number | null {
  const dob = own(age, "dob");
  if (typeof dob === "string" && dob !== "") {
    const from = parseDate(dob);
    return from === null ? null : yearsBetween(from, day);
  }
  const years = toNumber(own(age, "years"));
  if (years === null || years < 0 || years > 1000) return null;
  let months = Math.trunc(years) * 12;
  const more = toNumber(own(age, "months"));
  if (more !== null && more >= 0 && more < 12) months += Math.trunc(more);
  const observed = own(age, "observed_on");
  if (typeof observed === "string" && observed !== "") {
    const from = parseDate(observed);
    if (from === null) return null;
    months += monthsBetween(from, day);
  }
  return months < 0 ? null : Math.floor(months / 12);
}

/** A presumed child is one; unknown age counts as a child, with known false. */
export function isChild(age: Answers, basis: string, date: string): { child: boolean; known: boolean } {
  if (basis === presumedChild || own(age, "basis") === presumedChild) return { child: true, known: true };
  const day = parseDate(date);
  const years = day === null ? null : ageOn(age, day);
  return years === null ? { child: true, known: false } : { child: years < majority, known: true };
}
