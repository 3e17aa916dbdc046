import type { Code, Rule } from "../sdk/protocol/generated";

/**
 * Every text that a user reads, in English. The other languages have the same shape. Where
 * a name is drawn as an element, the text is a list of pieces.
 */
export const en = {
  page: {
    starting: "Connecting…",
    unreachable: "Can't reach the server yet. Still trying…",
    nothing: "Choose a conversation, or someone who's online.",
    notFound: "Page not found.",
    home: "Go to Tidings",
    notLoaded: "This couldn't be loaded. Try again once you're connected.",
  },

  broken: {
    title: "Something went wrong",
    kept: "That's our fault. Your messages and drafts are safe. Reload the page to get them back.",
    reload: "Reload",
  },

  banner: {
    reconnecting: "Reconnecting…",
    offline: "You're offline. Messages will be sent when you reconnect.",
    fault:
      "The server couldn't process something this page sent, and disconnected it. Your messages are safe.",
    too_many:
      "Tidings is open in too many places. Close one of them to connect here. Your messages are safe.",
    refused: "The server closed this connection. Your messages are safe.",
    gate: "Your network wants you to sign in again.",
    passGate: "Sign in",
    connectAgain: "Reconnect",
    connectNow: "Connect now",
    connecting: "Connecting…",
  },

  /** Another version of the client is ready, or a part of this one is gone. */
  appVersion: {
    newer: "A new version is available.",
    gone: "Part of this page is no longer available.",
    reload: "Reload",
  },

  presence: {
    notConnected: "Not connected",
    connecting: "Connecting…",
    online: "Online",
    away: "Away",
    invisible: "Invisible",
    gone: "Offline",
    seenJustNow: "Last seen just now",
    seen: (ago: string) => `Last seen ${ago}`,
  },

  conversations: {
    title: "Conversations",
    none: "No conversations yet. Choose someone below to start one.",
    noneYet: "No conversations yet.",
    empty: "No messages yet",
    typing: "typing…",
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
    lost: "Connect to see who's online.",
    nobody: "No one else is online.",
    allAbove: "Everyone online is listed above.",
    found: "People",
    noneFound: "No matches.",
  },

  conversation: {
    label: (name: string) => `Conversation with ${name}`,
    loading: "Loading conversation…",
    back: "Back to the list",
    missing: "This conversation doesn't exist or you're not in it.",
    noFiles: "Files can't be sent yet.",
    typing: <T>(name: T): readonly (string | T)[] => [name, " is typing…"],
  },

  /** A conversation with oneself. */
  notes: {
    title: "Notes to self",
    begin: "Write notes to yourself",
    about: "Only visible to you",
  },

  messages: {
    label: "Messages",
    loading: "Loading messages…",
    fresh: "New",
    newBelow: (count: string) => `${count} new`,
    olderOffline: "Older messages appear when you reconnect.",
    back: "Back",
    latest: "Latest",
    showAll: "Show more",
    showLess: "Show less",
    mine: "You:",
    from: (name: string) => `${name}:`,
    failed: (excerpt: string) => `Not sent: ${excerpt}`,
  },

  pins: {
    pinned: "Pinned",
    pin: "Pin message",
    unpin: "Unpin message",
    count: (count: number) => `${count} pinned`,
  },

  actions: {
    label: "Message actions",
    more: "More actions",
    copy: "Copy text",
    copyLink: "Copy link",
    copied: "Copied",
    notCopied: "This couldn't be copied.",
    absent: "This message isn't here.",
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
  },

  states: {
    pending: "Sending…",
    stored: "Sent",
    delivered: "Delivered",
    read: "Read",
    failed: "Not sent",
  },

  composer: {
    placeholder: "Write a message",
    label: (name: string) => `Message to ${name}`,
    send: "Send",
    length: (length: string, limit: string) => `${length} of ${limit} characters`,
    tooLong: (over: string, limit: string) => `${over} over the ${limit}-character limit`,
    cut: (limit: string) => `Too long: cut off at ${limit} characters`,
  },

  emoji: {
    open: "Emoji",
    title: "Emoji",
    loading: "Loading emoji…",
    failed: "Couldn't load emoji. Close this and try again.",
  },

  shortcuts: {
    title: "Keyboard shortcuts",
    keys: { enter: "Enter" },
  },

  notifications: {
    turnOn: "Turn on notifications",
    none: "No notifications",
    instead: "New message",
  },

  settings: {
    title: "Settings",
  },

  /** The text of a refusal. The server's own sentence is in English, and more exact. */
  problem: (_code: Code | "unreachable", sentence: string, _rule?: Rule): string => sentence,
};

export type Texts = typeof en;
