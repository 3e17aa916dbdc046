import type { Tone } from "../platform/emoji-preferences";
import { type Code, PINS_MAX } from "../sdk/protocol/generated";

/**
 * The English texts of what is loaded later: the log-in, the dialogs, and what is seldom shown.
 * They are loaded with the first of these.
 */
export const enLazy = {
  logIn: {
    subtitle: "Choose a name, see who's here, and start talking.",
    name: "Your name",
    rules:
      "2 to 32 characters. The name is yours in this browser. To use it on other devices, set a password later.",
    password: "Password",
    submit: "Log in",
    busy: "One moment…",
    loggedOut:
      "You've been logged out: this session was ended on another device, or it expired. Log in to continue.",
    left: {
      what: (drafts: number, unsent: number, name: string) =>
        `This browser still has ${things(drafts, unsent)} from ${name}. Keep them until ${name} logs in here again?`,
      keep: "Keep",
      discard: "Delete",
    },
    noCookies:
      "This browser blocks cookies for this site. Tidings needs one to keep you logged in. Allow cookies, then try again.",
    already: <T>(name: T): readonly (string | T)[] => [
      "This browser is already logged in as ",
      name,
      " in another tab. Log out there to use another name.",
    ],
  },

  /** In a conversation without messages. */
  greeting: {
    partner: <T>(name: T): readonly (string | T)[] => ["Say hello to ", name, "!"],
    notes: "Only you can see this. Keep notes, links, and lists here.",
  },

  /** For the first person on a server. */
  welcome: {
    title: "No one else is here yet",
    invite: "Send this link to the people you want to talk to.",
    link: "Link to this server",
    copy: "Copy link",
    copied: "Copied",
    share: "Share link",
    notCopied: "The link couldn't be copied. Select it and copy it yourself.",
  },

  /** For a message that the server refused. */
  failed: {
    couldNotBeSent: "Couldn't be sent.",
    retry: "Try again",
    discard: "Discard",
  },

  code: {
    copy: "Copy code",
    copied: "Copied",
  },

  emoji: {
    search: "Search emoji",
    categories: "Categories",
    recent: "Recently used",
    nothing: "No emoji found.",
    tone: (tone: Tone) => `Skin tone: ${TONES[tone]}`,
  },

  install: {
    why: "Install Tidings as an app on this device.",
    button: "Install",
  },

  switcher: {
    title: "Go to",
    label: "Go to a conversation or person",
    list: "Conversations and people",
    nobody: "No matches.",
    found: (count: number) => (count === 1 ? "1 found" : `${count} found`),
  },

  pins: {
    title: "Pinned messages",
    none: "No messages are pinned.",
    loading: "Loading messages…",
    failed: "Some messages couldn't be loaded.",
    goTo: "Go to message",
    unpin: "Unpin",
    /** Why a message could not be pinned or unpinned; `null` where `text.problem` says it. */
    refused: (code: Code): string | null => PINS_REFUSED[code] ?? null,
  },

  shortcuts: {
    title: "Keyboard shortcuts",
    everywhere: "Everywhere",
    messages: "In messages",
    writing: "When writing",
    keys: {
      ctrl: "Ctrl",
      alt: "Alt",
      shift: "Shift",
      escape: "Esc",
      enter: "Enter",
      home: "Home",
      end: "End",
      pageUp: "Page Up",
      pageDown: "Page Down",
    },
    does: {
      switcher: "Go to a conversation or person",
      search: "Search",
      neighbours: "Previous or next conversation",
      unread: "Previous or next unread conversation",
      back: "Back to the list, unless you're writing",
      help: "Show keyboard shortcuts",
      message: "Previous or next message",
      page: "Page up or down",
      ends: "First or last message",
      pin: "Pin or unpin the message",
      copy: "Copy the message",
      more: "More actions for the message",
      send: "Send",
      newLine: "New line",
      bold: "Bold: **text**",
      italic: "Italic: _text_",
      code: "Code: `text`, or ``` around several lines",
    },
  },

  notifications: {
    title: "Notifications",
    on: "You get notifications of new messages when Tidings isn't in front.",
    onAlways:
      "You get notifications of new messages when Tidings isn't in front, even when it's closed.",
    showText: "Show message text in notifications",
    sound: "Sound",
    off: "Notifications are off. New messages are shown only on this page.",
    ask: "Get notified of new messages when Tidings isn't in front.",
    blocked: "Notifications are blocked. Allow them in your browser's site settings.",
    unsupported: "Notifications aren't available here. They need a secure (HTTPS) address.",
  },

  settings: {
    title: "Settings",
    close: "Close",
    appearance: "Appearance",
    themes: { system: "Automatic", light: "Light", dark: "Dark" },
    invisible: "Invisible",
    whatInvisible:
      "You appear offline. Others can't see when you're here, typing, or have read their messages.",
    setPassword: "Set a password",
    changePassword: "Change password",
    whyPassword:
      "With a password, you can log in on other devices, and log back in after logging out.",
    currentPassword: "Current password",
    newPassword: "New password",
    save: "Save",
    saved: "Password saved. Your other devices have been logged out.",
    noWayBack:
      "You haven't set a password. If you log out, you lose this name and its conversations for good.",
    unsent: (count: number) =>
      `${count === 1 ? "One message has" : `${count} messages have`} not been sent yet and will be lost.`,
    logOut: "Log out",
    logOutAnyway: "Log out and lose this name",
    cancel: "Cancel",
  },

  sessions: {
    title: "Where you're logged in",
    named: (browser: string | undefined, system: string | undefined) =>
      browser === undefined || system === undefined
        ? (browser ?? system ?? "Unknown device")
        : `${browser} on ${system}`,
    current: "This browser",
    times: (used: string, began: string) => `Last used ${used} · Logged in ${began}`,
    end: "Log out",
    endOf: (what: string) => `Log out ${what}`,
    everywhere: "Log out everywhere",
    failed: "The list couldn't be loaded.",
  },
};

const TONES: Record<Tone, string> = {
  none: "none",
  light: "light",
  "medium-light": "medium-light",
  medium: "medium",
  "medium-dark": "medium-dark",
  dark: "dark",
};

const PINS_REFUSED: Partial<Record<Code, string>> = {
  too_many_pins: `Only ${PINS_MAX} messages can be pinned. Unpin one first.`,
  not_found: "That message doesn't exist anymore.",
};

export type LazyTexts = typeof enLazy;

/** "2 unsent messages and 1 draft". */
function things(drafts: number, unsent: number): string {
  const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;
  const parts = [
    ...(unsent > 0 ? [counted(unsent, "unsent message")] : []),
    ...(drafts > 0 ? [counted(drafts, "draft")] : []),
  ];
  return parts.join(" and ");
}
