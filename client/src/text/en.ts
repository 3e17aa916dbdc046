import type { Tone } from "../platform/kept";
import type { Code } from "../sdk/protocol/generated";

/**
 * Every text that a user reads, in English: the model of the other languages. Where a
 * name has a look of its own, the text is the list of its pieces.
 */
export const en = {
  page: {
    starting: "Connecting…",
    unreachable: "The server cannot be reached yet. This page goes on trying.",
    nothing: "Pick somebody who is here, or a conversation.",
    notLoaded: "This could not be loaded. Try again once you are connected.",
  },

  broken: {
    title: "Something went wrong here",
    kept: "That is our mistake. Your messages and drafts are kept; they are there again when the page is loaded anew.",
    reload: "Load anew",
  },

  logIn: {
    subtitle: "Choose a name, see who is here, talk.",
    name: "Your name",
    rules:
      "2 to 32 characters. It is yours in this browser; set a password later to use it elsewhere.",
    password: "Password",
    submit: "Log in",
    busy: "One moment…",
    loggedOut: "You are logged out. Log in to go on.",
    already: <T>(name: T): readonly (string | T)[] => [
      "This browser is logged in as ",
      name,
      " already, in another tab. Log out first to use another name.",
    ],
  },

  banner: {
    reconnecting: "Reconnecting…",
    offline: "Offline — your messages are kept",
    fault:
      "This page was disconnected because something it sent could not be dealt with. Your messages are kept.",
    too_many:
      "You have Tidings open in too many places at once. Close another one first. Your messages are kept.",
    refused: "The server ended this connection. Your messages are kept.",
    connectAgain: "Connect again",
    connectNow: "Connect now",
    connecting: "Connecting…",
  },

  /** Another version of the client, or a part of this one that is missing. */
  edition: {
    newer: "A new version is ready.",
    gone: "A part of this page is not there any more.",
    reload: "Reload",
  },

  install: {
    why: "Tidings can be an app of its own on this device.",
    button: "Install",
  },

  presence: {
    notConnected: "Not connected",
    connecting: "Connecting…",
    online: "Online",
    away: "Away",
    invisible: "Invisible",
    gone: "Not here now",
    seenJustNow: "Was here just now",
    seen: (ago: string) => `Last seen ${ago}`,
  },

  conversations: {
    title: "Conversations",
    none: "Nothing yet. Pick somebody below.",
    noneFound: "No conversation with somebody of that name.",
    draft: "Draft: ",
    you: "You: ",
    unread: (count: string) => `${count} unread`,
  },

  people: {
    label: "People online",
    title: "Online",
    search: "Search",
    searchLabel: "Search conversations and people",
    own: "you",
    lost: "Shown once you are connected.",
    nobody: "Nobody yet.",
    nobodyOfThatName: "Nobody of that name is here.",
  },

  chat: {
    label: (name: string) => `Conversation with ${name}`,
    loading: "Loading the conversation…",
    back: "Back to the list",
    typing: <T>(name: T): readonly (string | T)[] => [name, " is typing…"],
  },

  messages: {
    label: "Messages",
    loading: "Loading the messages…",
    fresh: "New",
    newBelow: (count: string) => `${count} new`,
    latest: "Latest",
    showAll: "Show all",
    showLess: "Show less",
    mine: "You:",
    from: (name: string) => `${name}:`,
    failed: (excerpt: string) => `Not sent: ${excerpt}`,
    couldNotBeSent: "It could not be sent.",
    retry: "Try again",
    discard: "Discard",
  },

  announced: {
    one: (from: string, excerpt: string) => `${from}: ${excerpt}`,
    several: (count: number, from: string, excerpt: string) =>
      `${count} new messages from ${from}. The last: ${excerpt}`,
    some: (count: number, names: readonly string[]) =>
      `${count} new messages from ${new Intl.ListFormat("en").format(names)}`,
    many: (count: number, people: number) => `${count} new messages from ${people} people`,
  },

  code: {
    label: (language: string) => (language === "" ? "Code" : `Code, ${language}`),
    copy: "Copy the code",
    copied: "Copied",
  },

  states: {
    pending: "Waiting to be sent",
    stored: "Sent",
    delivered: "Delivered",
    read: "Read",
    failed: "Not sent",
  },

  composer: {
    placeholder: "Write a message",
    label: (name: string) => `Message to ${name}`,
    send: "Send",
    length: (length: number, limit: number) => `${length} of ${limit} characters`,
    tooLong: (over: number) => `${over === 1 ? "1 character" : `${over} characters`} too long`,
    cut: (limit: number) => `Too long, and cut at ${limit} characters`,
  },

  switcher: {
    title: "Go to",
    label: "Go to a conversation or somebody",
    list: "Conversations and people",
    nobody: "Nobody by that name.",
    found: (count: number) => (count === 1 ? "1 found" : `${count} found`),
  },

  shortcuts: {
    title: "Keyboard shortcuts",
    everywhere: "Everywhere",
    messages: "Among the messages",
    writing: "While writing",
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
      switcher: "Go to a conversation or somebody",
      search: "Search the lists",
      neighbours: "Previous, next conversation",
      unread: "Previous, next one with something new",
      back: "Back to the list, unless something is being written",
      help: "Show these shortcuts",
      message: "Previous, next message",
      page: "A page back, a page on",
      ends: "The first, the last message",
      send: "Send",
      newLine: "New line",
      bold: "Bold: **text**",
      italic: "Italic: _text_",
      code: "Code: `text`, and ``` around several lines",
    },
  },

  emoji: {
    open: "Emoji",
    title: "Emoji",
    search: "Search emoji",
    recent: "Used last",
    nothing: "No emoji of that name.",
    loading: "Loading the emoji…",
    failed: "The emoji could not be loaded. Close this and try again.",
    tone: (tone: Tone) => `Skin tone: ${TONES[tone]}`,
  },

  notifications: {
    title: "Notifications",
    turnOn: "Turn on notifications",
    none: "No notifications",
    on: "You are told of new messages while Tidings is not in view.",
    onAlways: "You are told of new messages while Tidings is not in view, or not open at all.",
    showText: "Show the text in notifications",
    instead: "New message",
    sound: "Sound",
    off: "New messages are only shown inside the page.",
    ask: "Be told of new messages while Tidings is not in view.",
    blocked: "This browser blocks them for this page; its own settings can change that.",
    unsupported: "This browser offers none here. They need a secure (HTTPS) address.",
  },

  settings: {
    title: "Settings",
    close: "Close",
    appearance: "Appearance",
    themes: { system: "Automatic", light: "Light", dark: "Dark" },
    invisible: "Invisible",
    whatInvisible:
      "Others see you as gone since now: not that you are here, write, or have read something.",
    setPassword: "Set a password",
    changePassword: "Change the password",
    whyPassword: "With a password you can log in from other devices, and again after logging out.",
    currentPassword: "Current password",
    newPassword: "New password",
    save: "Save",
    saved: "The password is set. Other devices that were logged in must log in again.",
    noWayBack:
      "You have no password: once logged out, nobody can enter this name again, not even you.",
    unsent: (count: number) =>
      `${count === 1 ? "One message has" : `${count} messages have`} not been sent yet and would be lost.`,
    logOut: "Log out",
  },

  /** What a refusal says; the server's own sentence is English, and more exact. */
  problem: (_code: Code | "unreachable", sentence: string): string => sentence,
};

const TONES: Record<Tone, string> = {
  none: "none",
  light: "light",
  "medium-light": "medium-light",
  medium: "medium",
  "medium-dark": "medium-dark",
  dark: "dark",
};

export type Texts = typeof en;
