import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, type Person, test } from "./fixtures";
import { QUICK_RETURN } from "./server";

const run = promisify(execFile);

/** Builds the SDK into a folder of the test, with the program of its README beside it. */
async function readmesBot(folder: string): Promise<string> {
  await run("npx", ["vite", "build", "--config", "vite.sdk.config.ts", "--outDir", folder]);
  const readme = await readFile("src/sdk/README.md", "utf8");
  const program = readme.match(/```js\n(.*?)```/s)?.[1] ?? "";
  expect(program.split("\n").length).toBeLessThanOrEqual(21);
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  const file = join(folder, "bot.js");
  await writeFile(file, program);
  return file;
}

const started: ChildProcess[] = [];

test.afterEach(() => {
  for (const bot of started.splice(0)) bot.kill("SIGKILL");
});

function start(file: string, url: string): ChildProcess {
  const env = { ...process.env, TIDINGS_URL: url };
  const bot = spawn(process.execPath, [file], { env, stdio: ["ignore", "inherit", "inherit"] });
  started.push(bot);
  return bot;
}

async function answers(person: Person, count: number): Promise<void> {
  const texts = Array.from({ length: count }, (_, index) => `You said: Message ${index + 1}`);
  const answered = person.page.locator('[data-testid="message"][data-mine="false"] p');
  await expect(answered).toHaveText(texts);
}

test("the bot of the README answers everything once, though it and the server are killed", async ({
  person,
  ownServer,
}, info) => {
  const on = await ownServer({ TIDINGS_SENDS_PER_SECOND: "0", ...QUICK_RETURN });
  const file = await readmesBot(info.outputPath("sdk"));
  const ada = await person("Ada", { on, plain: true });
  let bot = start(file, on.url);
  const echo = ada.page.locator('[data-testid="person"][data-name="Echo"]');
  await echo.click();
  await ada.say("Message 1");
  await answers(ada, 1);
  await expect(ada.message("Message 1").first()).toHaveAttribute("data-state", "read");

  // While it is away.
  bot.kill("SIGKILL");
  await once(bot, "exit");
  await ada.say("Message 2");
  await ada.say("Message 3");
  await expect(ada.message("Message 3")).toHaveAttribute("data-state", "stored");
  bot = start(file, on.url);
  await answers(ada, 3);

  await on.end("SIGKILL");
  await ada.say("Message 4");
  await on.run();
  await ada.say("Message 5");
  await answers(ada, 5);

  // Its session is over: so is the program.
  const ended = once(bot, "exit");
  const password = "correct horse battery";
  const asBot = { "Content-Type": "application/json" };
  const body = JSON.stringify({ name: "Echo", password, bearer: true });
  const session = await fetch(`${on.url}/api/session`, { method: "POST", headers: asBot, body });
  const { token } = (await session.json()) as { token: string };
  await fetch(`${on.url}/api/session/password`, {
    method: "PUT",
    headers: { ...asBot, Authorization: `Bearer ${token}` },
    body: JSON.stringify({ password: "another horse battery", current: password }),
  });
  expect(await ended).toEqual([0, null]);
});
