import { text } from "../i18n/i18n";
import { showsText, wantsSound } from "../platform/preferences";
import { goTo } from "../platform/route";
import type { Tabs } from "../platform/tabs";
import type { ConversationId } from "../sdk/protocol/generated";
import { chime, mayChime } from "./chime";
import { type Look, type News, optionsOf, showNotification } from "./notification";
import { notifying } from "./permission";

/** Plays the sound, unless a tab shows the conversation, or a sound was just played. */
export async function sound(conversation: ConversationId, tabs: Tabs): Promise<void> {
  if (!wantsSound() || !mayChime() || (await tabs.isInView(conversation))) return;
  if (await tabs.mayPlay()) await chime();
}

/** The notification being shown. The next one waits for it, so that the last one stays. */
let showing = Promise.resolve();

/** Shows a notification if that is allowed and wanted, and plays the sound if it is. */
export function notify(news: News, tabs: Tabs): Promise<void> {
  // One that cannot be shown must not keep the next ones away.
  showing = showing.then(() => notifyNow(news, tabs)).catch(() => {});
  return showing;
}

async function notifyNow(news: News, tabs: Tabs): Promise<void> {
  const heard = wantsSound() && mayChime() && (await tabs.mayPlay());
  if (heard) void chime();
  if (notifying() !== "on") return;
  await show(news, { instead: instead(), silent: heard || !wantsSound() });
}

/** What notifications say instead of the text, if that is hidden. */
export function instead(): string | null {
  return showsText() ? null : text.notifications.instead;
}

async function show(news: News, look: Look): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) return showNotification(registration, news, look);
  // Some browsers have no service worker here. Others allow notifications from it only.
  try {
    const shown = new Notification(news.from, optionsOf(news, look));
    shown.onclick = () => {
      window.focus();
      goTo(news.conversation);
      shown.close();
    };
  } catch {
    // The toast and the title say it already.
  }
}
