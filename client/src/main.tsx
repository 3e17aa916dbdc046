import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { v7 } from "uuid";
import { Boundary } from "./components/Boundary";
import { LiveRegion } from "./components/LiveRegion";
import { Page } from "./components/Page";
import { Api } from "./sdk/engine/api";
import { Engine } from "./sdk/engine/engine";
import "./index.css";
import { AppContext } from "./components/use-app";
import { Announcements } from "./notify/announcements";
import { tell } from "./notify/notifier";
import { showUnreadInTitle } from "./notify/title";
import { dismissToast } from "./notify/toasts";
import { browserVoices } from "./notify/voices";
import { onAct, onInput, onLeave, onWake, openWebSocket } from "./platform/browser";
import { watchParts } from "./platform/edition";
import { keepInstallOffer } from "./platform/install";
import { followKeyboard } from "./platform/keyboard";
import { IndexedDbOutbox } from "./platform/outbox-storage";
import { Pages } from "./platform/pages";
import { leave, onRoute } from "./platform/route";
import { IndexedDbSnapshots } from "./platform/snapshot-storage";
import { followTheme } from "./platform/theme";
import { SYSTEM_CLOCK } from "./sdk/engine/clock";
import { createStore } from "./sdk/store/store";
import { locale, speak } from "./text/text";

const store = createStore();
// By this path the service worker knows which version the page runs.
const pages = new Pages(new URL(import.meta.url).pathname);
const voices = browserVoices(pages);
const announcements = new Announcements(SYSTEM_CLOCK);

const api = new Api((path, init) => fetch(path, init));
const engine = new Engine({
  store,
  api,
  storage: new IndexedDbOutbox(pages.id, () => pages.live()),
  clock: SYSTEM_CLOCK,
  openWebSocket,
  newId: () => v7(),
  timestamp: () => new Date().toISOString(),
  kept: new IndexedDbSnapshots(),
  incoming: (message, missed) => {
    if (!missed) announcements.hear(message, store.get());
    void tell(message, missed, store.get(), voices);
  },
});

followTheme();
followKeyboard();
watchParts();
keepInstallOffer();
showUnreadInTitle(store);
followFront();
announceFailures();
store.subscribe(showLink);
showLink();
onRoute((conversation) => engine.show(conversation));
onWake(() => engine.wake());
onAct(() => engine.hurry());
onLeave(() => engine.keep());
onInput(() => engine.touch());
void engine.start();
await speak(navigator.languages);
document.documentElement.lang = locale;

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the client");
createRoot(root).render(
  <StrictMode>
    <AppContext value={{ store, commands: engine }}>
      <Boundary>
        <Page />
      </Boundary>
      <LiveRegion announcements={announcements} />
    </AppContext>
  </StrictMode>,
);

// After the page, which does without where that cannot be loaded.
void import("./notify/reach").then(({ reach }) => reach(store, api)).catch(() => {});

/** For style sheets and tests: whether this page is connected. */
function showLink(): void {
  document.documentElement.dataset.connection = store.get().link;
}

function announceFailures(): void {
  let before = store.get();
  store.subscribe(() => {
    const after = store.get();
    announcements.follow(before, after);
    before = after;
  });
}

/** What hangs on the conversation in front, besides what is drawn. */
function followFront(): void {
  let front = store.get().open;
  pages.bringToFront(front);
  store.subscribe(() => {
    const { open } = store.get();
    if (open === front) return;
    pages.bringToFront(open);
    // Its toast has told all it can.
    if (open !== null) dismissToast(open);
    else if (front !== null) leave(front);
    front = open;
  });
}
