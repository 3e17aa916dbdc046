import { showsText, wantsSound } from "../platform/kept";
import type { Pages } from "../platform/pages";
import { goTo } from "../platform/route";
import type { ConversationId } from "../sdk/protocol/generated";
import { text } from "../text/text";
import { chime, mayChime } from "./chime";
import { type Look, type News, optionsOf, showNotification } from "./notification";
import { notifying } from "./permission";

/** What is told outside of the page: sounds, and notifications of the browser. */

/** Plays it unless the conversation is in view on some page, or a sound was just heard. */
export async function sound(conversation: ConversationId, pages: Pages): Promise<void> {
  if (!wantsSound() || !mayChime() || (await pages.isInView(conversation))) return;
  if (await pages.mayPlay()) await chime();
}

/** What is being told: what comes in meanwhile is told after it, so that the last is what stays. */
let telling = Promise.resolve();

/** Notifies, where that is allowed and wanted; the sound is heard in any case. */
export function notify(news: News, pages: Pages): Promise<void> {
  telling = telling.then(() => tellOutside(news, pages));
  return telling;
}

async function tellOutside(news: News, pages: Pages): Promise<void> {
  const heard = wantsSound() && mayChime() && (await pages.mayPlay());
  if (heard) void chime();
  if (notifying() !== "on") return;
  await show(news, { instead: instead(), silent: heard || !wantsSound() });
}

/** What notifications say while they hide what was written. */
export function instead(): string | null {
  return showsText() ? null : text.notifications.instead;
}

async function show(news: News, look: Look): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) return showNotification(registration, news, look);
  // Some browsers have no service worker here; some have, and allow notifications there only.
  try {
    const shown = new Notification(news.from, optionsOf(news, look));
    shown.onclick = () => {
      window.focus();
      goTo(news.conversation);
      shown.close();
    };
  } catch {
    // The toast and the title have told.
  }
}
