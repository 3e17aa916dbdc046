import type { Texts } from "./en";

/** Auf Deutsch. */
export const de: Texts = {
  page: {
    starting: "Verbindung wird aufgebaut …",
    unreachable: "Der Server ist noch nicht zu erreichen. Diese Seite versucht es weiter.",
    nothing: "Wähle jemanden, der hier ist, oder eine Unterhaltung.",
    notLoaded:
      "Das konnte nicht geladen werden. Versuche es noch einmal, sobald du verbunden bist.",
  },

  broken: {
    title: "Hier ist etwas schiefgegangen",
    kept: "Das ist unser Fehler. Deine Nachrichten und Entwürfe bleiben erhalten; sie sind wieder da, wenn die Seite neu geladen ist.",
    reload: "Neu laden",
  },

  logIn: {
    subtitle: "Namen wählen, sehen, wer hier ist, reden.",
    name: "Dein Name",
    rules:
      "2 bis 32 Zeichen. In diesem Browser gehört er dir; mit einem Passwort kannst du ihn später auch anderswo benutzen.",
    password: "Passwort",
    submit: "Anmelden",
    busy: "Einen Moment …",
    loggedOut: "Du bist abgemeldet. Melde dich an, um weiterzumachen.",
    already: (name) => [
      "Dieser Browser ist in einem anderen Tab schon als ",
      name,
      " angemeldet. Melde dich dort erst ab, um einen anderen Namen zu benutzen.",
    ],
  },

  banner: {
    reconnecting: "Verbindung wird wieder aufgebaut …",
    offline: "Offline – deine Nachrichten bleiben erhalten",
    fault:
      "Diese Seite wurde getrennt, weil etwas von ihr nicht verarbeitet werden konnte. Deine Nachrichten bleiben erhalten.",
    too_many:
      "Tidings ist bei dir an zu vielen Stellen zugleich offen. Schließe erst eine davon. Deine Nachrichten bleiben erhalten.",
    refused: "Der Server hat diese Verbindung beendet. Deine Nachrichten bleiben erhalten.",
    connectAgain: "Wieder verbinden",
    connectNow: "Jetzt verbinden",
    connecting: "Verbindung wird aufgebaut …",
  },

  edition: {
    newer: "Eine neue Version ist bereit.",
    gone: "Ein Teil dieser Seite ist nicht mehr da.",
    reload: "Neu laden",
  },

  install: {
    why: "Tidings kann auf diesem Gerät eine eigene App sein.",
    button: "Installieren",
  },

  presence: {
    notConnected: "Nicht verbunden",
    connecting: "Verbindung wird aufgebaut …",
    online: "Online",
    away: "Abwesend",
    invisible: "Unsichtbar",
    gone: "Gerade nicht hier",
    seenJustNow: "War gerade noch hier",
    seen: (ago) => `Zuletzt hier ${ago}`,
  },

  conversations: {
    title: "Unterhaltungen",
    none: "Noch nichts. Wähle unten jemanden.",
    noneFound: "Keine Unterhaltung mit jemandem dieses Namens.",
    draft: "Entwurf: ",
    you: "Du: ",
    unread: (count) => `${count} ungelesen`,
  },

  people: {
    label: "Wer online ist",
    title: "Online",
    search: "Suchen",
    searchLabel: "Unterhaltungen und Leute suchen",
    own: "du",
    lost: "Zu sehen, sobald du verbunden bist.",
    nobody: "Noch niemand.",
    nobodyOfThatName: "Niemand mit diesem Namen ist hier.",
  },

  chat: {
    label: (name) => `Unterhaltung mit ${name}`,
    loading: "Die Unterhaltung wird geladen …",
    back: "Zurück zur Liste",
    typing: (name) => [name, " schreibt …"],
  },

  messages: {
    label: "Nachrichten",
    loading: "Die Nachrichten werden geladen …",
    fresh: "Neu",
    newBelow: (count) => `${count} neue`,
    latest: "Neueste",
    showAll: "Alles zeigen",
    showLess: "Weniger zeigen",
    mine: "Du:",
    from: (name) => `${name}:`,
    failed: (excerpt) => `Nicht gesendet: ${excerpt}`,
    couldNotBeSent: "Sie konnte nicht gesendet werden.",
    retry: "Noch einmal",
    discard: "Verwerfen",
  },

  announced: {
    one: (from, excerpt) => `${from}: ${excerpt}`,
    several: (count, from, excerpt) =>
      `${count} neue Nachrichten von ${from}. Die letzte: ${excerpt}`,
    some: (count, names) =>
      `${count} neue Nachrichten von ${new Intl.ListFormat("de").format(names)}`,
    many: (count, people) => `${count} neue Nachrichten von ${people} Leuten`,
  },

  code: {
    label: (language) => (language === "" ? "Code" : `Code, ${language}`),
    copy: "Code kopieren",
    copied: "Kopiert",
  },

  states: {
    pending: "Wartet aufs Senden",
    stored: "Gesendet",
    delivered: "Angekommen",
    read: "Gelesen",
    failed: "Nicht gesendet",
  },

  composer: {
    placeholder: "Nachricht schreiben",
    label: (name) => `Nachricht an ${name}`,
    send: "Senden",
    length: (length, limit) => `${length} von ${limit} Zeichen`,
    tooLong: (over) => `${over} Zeichen zu lang`,
    cut: (limit) => `Zu lang, und nach ${limit} Zeichen abgeschnitten`,
  },

  switcher: {
    title: "Gehe zu",
    label: "Zu einer Unterhaltung oder jemandem gehen",
    list: "Unterhaltungen und Leute",
    nobody: "Niemand mit diesem Namen.",
    found: (count) => `${count} gefunden`,
  },

  shortcuts: {
    title: "Tastenkürzel",
    everywhere: "Überall",
    messages: "In den Nachrichten",
    writing: "Beim Schreiben",
    keys: {
      ctrl: "Strg",
      alt: "Alt",
      shift: "Umschalt",
      escape: "Esc",
      enter: "Eingabe",
      home: "Pos1",
      end: "Ende",
      pageUp: "Bild auf",
      pageDown: "Bild ab",
    },
    does: {
      switcher: "Zu einer Unterhaltung oder jemandem gehen",
      search: "In den Listen suchen",
      neighbours: "Vorige, nächste Unterhaltung",
      unread: "Vorige, nächste mit etwas Neuem",
      back: "Zurück zur Liste, solange nichts geschrieben wird",
      help: "Diese Tastenkürzel zeigen",
      message: "Vorige, nächste Nachricht",
      page: "Eine Seite zurück, eine Seite weiter",
      ends: "Die erste, die letzte Nachricht",
      send: "Senden",
      newLine: "Neue Zeile",
      bold: "Fett: **Text**",
      italic: "Kursiv: _Text_",
      code: "Code: `Text`, und ``` um mehrere Zeilen",
    },
  },

  emoji: {
    open: "Emoji",
    title: "Emoji",
    search: "Emoji suchen",
    recent: "Zuletzt verwendet",
    nothing: "Kein Emoji mit diesem Namen.",
    loading: "Die Emoji werden geladen …",
    failed: "Die Emoji konnten nicht geladen werden. Schließe dies und versuche es noch einmal.",
    tone: (tone) => `Hautton: ${TONES[tone]}`,
  },

  notifications: {
    title: "Mitteilungen",
    turnOn: "Mitteilungen einschalten",
    none: "Keine Mitteilungen",
    on: "Du erfährst von neuen Nachrichten, während Tidings nicht zu sehen ist.",
    onAlways:
      "Du erfährst von neuen Nachrichten, während Tidings nicht zu sehen oder gar nicht offen ist.",
    showText: "Den Text in Mitteilungen zeigen",
    instead: "Neue Nachricht",
    sound: "Ton",
    off: "Neue Nachrichten werden nur auf der Seite gezeigt.",
    ask: "Von neuen Nachrichten erfahren, während Tidings nicht zu sehen ist.",
    blocked:
      "Dieser Browser lässt sie für diese Seite nicht zu; das ändern seine eigenen Einstellungen.",
    unsupported: "Dieser Browser bietet hier keine. Sie brauchen eine sichere Adresse (HTTPS).",
  },

  settings: {
    title: "Einstellungen",
    close: "Schließen",
    appearance: "Aussehen",
    themes: { system: "Wie das Gerät", light: "Hell", dark: "Dunkel" },
    invisible: "Unsichtbar",
    whatInvisible:
      "Für andere bist du seit jetzt fort: Sie sehen nicht, dass du hier bist, schreibst oder etwas gelesen hast.",
    setPassword: "Passwort setzen",
    changePassword: "Passwort ändern",
    whyPassword:
      "Mit einem Passwort kannst du dich von anderen Geräten anmelden, und wieder nach dem Abmelden.",
    currentPassword: "Jetziges Passwort",
    newPassword: "Neues Passwort",
    save: "Speichern",
    saved:
      "Das Passwort ist gesetzt. Andere Geräte, die angemeldet waren, müssen sich neu anmelden.",
    noWayBack:
      "Du hast kein Passwort: Nach dem Abmelden kommt niemand mehr in diesen Namen, auch du nicht.",
    unsent: (count) =>
      `${count === 1 ? "Eine Nachricht ist" : `${count} Nachrichten sind`} noch nicht gesendet und ${count === 1 ? "ginge" : "gingen"} verloren.`,
    logOut: "Abmelden",
  },

  problem: (code, sentence) => PROBLEMS[code] ?? sentence,
};

const TONES: Record<Parameters<Texts["emoji"]["tone"]>[0], string> = {
  none: "keiner",
  light: "hell",
  "medium-light": "mittelhell",
  medium: "mittel",
  "medium-dark": "mitteldunkel",
  dark: "dunkel",
};

const PROBLEMS: Partial<Record<Parameters<Texts["problem"]>[0], string>> = {
  unreachable: "Der Server ist nicht erreichbar. Versuche es gleich noch einmal.",
  invalid_text: "Dieser Text ist leer oder kann nicht gespeichert werden.",
  text_too_long: "Dieser Text ist zu lang.",
  invalid_name:
    "Dieser Name geht nicht: 2 bis 32 Zeichen, Buchstaben einer Schrift, Ziffern und einzelne Zeichen dazwischen.",
  invalid_password: "Dieses Passwort geht nicht: Es ist zu kurz oder zu lang.",
  id_reused: "Diese Nachricht trägt den Namen einer anderen. Versuche es noch einmal.",
  not_found: "Das gibt es nicht, oder nicht für dich.",
  rate_limited: "Zu viel auf einmal. Warte einen Moment.",
  busy: "Der Server ist gerade ausgelastet. Versuche es gleich noch einmal.",
  storage_unavailable: "Der Server kann gerade nichts speichern. Versuche es später noch einmal.",
  name_taken: "Dieser Name gehört schon jemandem.",
  password_required: "Dieser Name hat ein Passwort. Gib es ein, wenn er deiner ist.",
  wrong_password: "Das Passwort stimmt nicht.",
  unauthorized: "Du bist nicht angemeldet.",
  forbidden_origin: "Diese Seite gehört nicht zu diesem Server.",
  too_large: "Das ist zu groß.",
  internal: "Auf dem Server ist etwas schiefgegangen.",
};
