import { expect, test } from "vitest";
import { PageSize, QUICK_MS, SLOW_MS, SMALLEST } from "./page-size";

const MAX = 100;

test("pages are as large as the server allows until one is slow", () => {
  const pages = new PageSize();
  expect(pages.limit(MAX)).toBe(MAX);
  pages.took(MAX, SLOW_MS);
  expect(pages.limit(MAX)).toBe(MAX);
  pages.took(MAX, SLOW_MS + 1);
  expect(pages.limit(MAX)).toBe(MAX / 2);
});

test("what came decides, not what was asked for", () => {
  const pages = new PageSize();
  pages.took(12, SLOW_MS + 1);
  expect(pages.limit(MAX)).toBe(6);
});

test("pages that do not come get smaller and stay above the smallest", () => {
  const pages = new PageSize();
  for (let tries = 0; tries < 10; tries += 1) pages.failed(pages.limit(MAX), SLOW_MS + 1);
  expect(pages.limit(MAX)).toBe(SMALLEST);
});

test("a server that is not there makes no page smaller", () => {
  const pages = new PageSize();
  pages.failed(MAX, 10);
  expect(pages.limit(MAX)).toBe(MAX);
});

test("once the link is quick again, so are large pages", () => {
  const pages = new PageSize();
  pages.failed(10, SLOW_MS + 1);
  const limits: number[] = [];
  while (pages.limit(MAX) < MAX) {
    limits.push(pages.limit(MAX));
    pages.took(pages.limit(MAX), QUICK_MS - 1);
  }
  expect(limits).toEqual([5, 10, 20, 40, 80]);
});

test("a short page of a quick link does not make pages smaller", () => {
  const pages = new PageSize();
  pages.failed(40, SLOW_MS + 1);
  pages.took(3, 10);
  expect(pages.limit(MAX)).toBe(20);
});
