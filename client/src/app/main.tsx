import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { v7 } from "uuid";
import { Api } from "../sdk/connection/api";
import { Engine } from "../sdk/engine/engine";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { App } from "./App";
import { LiveRegion } from "./LiveRegion";
import "./index.css";
import { followLeftovers } from "../features/login/leftovers";
import { loadLanguage, loadLazyTexts, locale, text } from "../i18n/i18n";
import { Announcements } from "../notifications/announcements";
import { browserChannels } from "../notifications/channels";
import { notifyOf } from "../notifications/notifier";
import { followTitle } from "../notifications/title";
import { dismissToast, showToast } from "../notifications/toasts";
import { watchLazyParts } from "../platform/app-version";
import {
  onAct,
  onFiles,
  onInput,
  onLeave,
  onOffline,
  onWake,
  openWebSocket,
} from "../platform/browser";
import { keepInstallOffer } from "../platform/install";
import { followKeyboard } from "../platform/keyboard";
import { IndexedDbOutbox } from "../platform/outbox-storage";
import { cleanAddress, onIntercepted, proxyPassed } from "../platform/proxy-login";
import { onRoute } from "../platform/route";
import { IndexedDbSnapshots } from "../platform/snapshot-storage";
import { Tabs } from "../platform/tabs";
import { followTheme } from "../platform/theme";
import { tolerateTranslation } from "../platform/translation-guard";
import { SYSTEM_CLOCK } from "../sdk/connection/clock";
import type { Refused } from "../sdk/outbox/outbox";
import { createStore } from "../sdk/store/store";
import { AppContext } from "../ui/use-app";

const store = createStore();
// By this path the service worker knows which version the tab runs.
const tabs = new Tabs(new URL(import.meta.url).pathname);
const channels = browserChannels(tabs);
const announcements = new Announcements(SYSTEM_CLOCK);

cleanAddress();
const api = new Api((path, init) => fetch(path, init), onIntercepted);
const engine = new Engine({
  store,
  api,
  storage: new IndexedDbOutbox(tabs.id, () => tabs.live()),
  clock: SYSTEM_CLOCK,
  openWebSocket,
  newId: () => v7(),
  timestamp: () => new Date().toISOString(),
  snapshots: new IndexedDbSnapshots(),
  incoming: (message, missed) => {
    if (!missed) announcements.hear(message, store.get());
    void notifyOf(message, missed, store.get(), channels);
  },
});

tolerateTranslation();
followTheme();
followKeyboard();
watchLazyParts();
keepInstallOffer();
followTitle(store);
followLeftovers(store, (user) => void engine.session.discardUnsent(user));
followFront();
tellOfRefusals();
store.subscribe(showLink);
showLink();
onRoute((conversation) => engine.show(conversation));
onWake(() => engine.wake());
onOffline(() => engine.unplugged());
onAct(() => engine.hurry());
onLeave(() => engine.save());
onInput(() => engine.touch());
onFiles(() => showToast((toast) => toast(text.conversation.noFiles, { id: "files" })));
void engine.start();
await loadLanguage(navigator.languages ?? []);
document.documentElement.lang = locale;

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the client");
createRoot(root).render(
  <StrictMode>
    <AppContext value={{ store, commands: engine }}>
      <ErrorBoundary>
        <App />
      </ErrorBoundary>
      <LiveRegion announcements={announcements} />
    </AppContext>
  </StrictMode>,
);

// After the page, which works without it where it cannot be loaded.
void import("../notifications/background")
  .then(({ startBackground }) => startBackground(store, api))
  .catch(() => {});

/** For style sheets and tests: whether this page is connected. */
function showLink(): void {
  if (store.get().link === "open") proxyPassed();
  document.documentElement.dataset.connection = store.get().link;
}

/** Tells of what was refused for good. Of a pin, nothing else on the page says that it is undone. */
function tellOfRefusals(): void {
  let before = store.get();
  store.subscribe(() => {
    const after = store.get();
    announcements.follow(before, after);
    const { refused } = after.outbox;
    if (refused !== null && refused !== before.outbox.refused) void showRefusal(refused);
    before = after;
  });
}

async function showRefusal({ code, reason }: Refused): Promise<void> {
  const lazy = await loadLazyTexts().catch(() => null);
  const says = lazy?.pins.refused(code) ?? text.problem(code, reason);
  showToast((toast) => toast(says, { id: "refused" }));
}

/** Does what follows from opening a conversation, besides rendering it. */
function followFront(): void {
  let front = store.get().open;
  tabs.bringToFront(front);
  store.subscribe(() => {
    const { open } = store.get();
    if (open === front) return;
    tabs.bringToFront(open);
    // Its toast is no longer needed.
    if (open !== null) dismissToast(open);
    front = open;
  });
}
