import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/** What an error says before what is around it in the source, in lines. */
const LINES = 12;

/** Says at the very end why tests failed, where also a log that is cut still shows it. */
export default class Failures implements Reporter {
  private readonly failures: string[] = [];

  onTestEnd(test: TestCase, { status, errors }: TestResult): void {
    if (status === test.expectedStatus || status === "skipped") return;
    const [, , file, ...titles] = test.titlePath();
    const said = errors.map(({ message }) => message?.split("\n").slice(0, LINES).join("\n  "));
    this.failures.push(
      `${file}:${test.location.line} ${titles.join(" › ")}\n  ${said.join("\n  ")}`,
    );
  }

  onEnd(): void {
    for (const failure of this.failures)
      process.stdout.write(`\n${stripVTControlCharacters(failure)}\n`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
