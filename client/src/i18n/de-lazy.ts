import { type Code, PINS_MAX } from "../sdk/protocol/generated";
import type { LazyTexts } from "./en-lazy";

/** Auf Deutsch, was später geladen wird. */
export const deLazy: LazyTexts = {
  logIn: {
    subtitle: "Wähle einen Namen, sieh, wer da ist, und schreib los.",
    name: "Dein Name",
    rules:
      "2 bis 32 Zeichen. Der Name gehört dir in diesem Browser. Mit einem Passwort kannst du ihn später auch auf anderen Geräten verwenden.",
    password: "Passwort",
    submit: "Anmelden",
    busy: "Einen Moment …",
    loggedOut:
      "Du wurdest abgemeldet: Die Sitzung wurde auf einem anderen Gerät beendet oder ist abgelaufen. Melde dich an, um weiterzumachen.",
    left: {
      what: (drafts, unsent, name) =>
        `In diesem Browser liegen noch ${things(drafts, unsent)} von ${name}. Aufheben, bis ${name} sich hier wieder anmeldet?`,
      keep: "Aufheben",
      discard: "Löschen",
    },
    noCookies:
      "Dieser Browser blockiert Cookies für diese Website. Tidings braucht eines, damit du angemeldet bleibst. Erlaube Cookies und versuche es noch einmal.",
    already: (name) => [
      "Dieser Browser ist in einem anderen Tab bereits als ",
      name,
      " angemeldet. Melde dich dort ab, um einen anderen Namen zu verwenden.",
    ],
  },

  greeting: {
    partner: (name) => ["Sag Hallo zu ", name, "!"],
    notes: "Nur du siehst das hier. Platz für Notizen, Links und Listen.",
  },

  welcome: {
    title: "Noch ist sonst niemand hier",
    invite: "Schick diesen Link an alle, mit denen du schreiben willst.",
    link: "Link zu diesem Server",
    copy: "Link kopieren",
    copied: "Kopiert",
    share: "Link teilen",
    notCopied: "Der Link konnte nicht kopiert werden. Markiere ihn und kopiere ihn selbst.",
  },

  failed: {
    couldNotBeSent: "Konnte nicht gesendet werden.",
    retry: "Noch einmal",
    discard: "Verwerfen",
  },

  code: {
    copy: "Code kopieren",
    copied: "Kopiert",
  },

  emoji: {
    search: "Emoji suchen",
    categories: "Kategorien",
    recent: "Zuletzt verwendet",
    nothing: "Kein Emoji gefunden.",
    tone: (tone) => `Hautton: ${TONES[tone]}`,
  },

  install: {
    why: "Installiere Tidings als App auf diesem Gerät.",
    button: "Installieren",
  },

  switcher: {
    title: "Gehe zu",
    label: "Zu einer Unterhaltung oder Person gehen",
    list: "Unterhaltungen und Personen",
    nobody: "Keine Treffer.",
    found: (count) => `${count} gefunden`,
  },

  pins: {
    title: "Angeheftete Nachrichten",
    none: "Keine Nachricht ist angeheftet.",
    loading: "Nachrichten werden geladen …",
    failed: "Einige Nachrichten konnten nicht geladen werden.",
    goTo: "Zur Nachricht",
    unpin: "Lösen",
    refused: (code) => PINS_REFUSED[code] ?? null,
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
      switcher: "Zu einer Unterhaltung oder Person gehen",
      search: "Suchen",
      neighbours: "Vorherige oder nächste Unterhaltung",
      unread: "Vorherige oder nächste ungelesene Unterhaltung",
      back: "Zurück zur Liste, außer beim Schreiben",
      help: "Tastenkürzel anzeigen",
      message: "Vorherige oder nächste Nachricht",
      page: "Seite nach oben oder unten",
      ends: "Erste oder letzte Nachricht",
      pin: "Nachricht anheften oder lösen",
      copy: "Nachricht kopieren",
      more: "Weitere Aktionen für die Nachricht",
      send: "Senden",
      newLine: "Neue Zeile",
      bold: "Fett: **Text**",
      italic: "Kursiv: _Text_",
      code: "Code: `Text` oder ``` um mehrere Zeilen",
    },
  },

  notifications: {
    title: "Mitteilungen",
    on: "Du wirst über neue Nachrichten benachrichtigt, wenn Tidings nicht im Vordergrund ist.",
    onAlways:
      "Du wirst über neue Nachrichten benachrichtigt, wenn Tidings nicht im Vordergrund oder geschlossen ist.",
    showText: "Nachrichtentext in Mitteilungen anzeigen",
    sound: "Ton",
    off: "Mitteilungen sind aus. Neue Nachrichten erscheinen nur auf dieser Seite.",
    ask: "Lass dich über neue Nachrichten benachrichtigen, wenn Tidings nicht im Vordergrund ist.",
    blocked:
      "Mitteilungen sind blockiert. Erlaube sie in den Website-Einstellungen deines Browsers.",
    unsupported:
      "Mitteilungen sind hier nicht verfügbar. Sie brauchen eine sichere Adresse (HTTPS).",
  },

  settings: {
    title: "Einstellungen",
    close: "Schließen",
    appearance: "Aussehen",
    themes: { system: "Wie das Gerät", light: "Hell", dark: "Dunkel" },
    invisible: "Unsichtbar",
    whatInvisible:
      "Du erscheinst offline. Andere sehen nicht, ob du da bist, schreibst oder ihre Nachrichten gelesen hast.",
    setPassword: "Passwort festlegen",
    changePassword: "Passwort ändern",
    whyPassword:
      "Mit einem Passwort kannst du dich auf anderen Geräten anmelden, auch nachdem du dich abgemeldet hast.",
    currentPassword: "Aktuelles Passwort",
    newPassword: "Neues Passwort",
    save: "Speichern",
    saved: "Passwort gespeichert. Deine anderen Geräte wurden abgemeldet.",
    noWayBack:
      "Du hast kein Passwort festgelegt. Wenn du dich abmeldest, verlierst du diesen Namen und seine Unterhaltungen für immer.",
    unsent: (count) =>
      `${count === 1 ? "Eine Nachricht ist" : `${count} Nachrichten sind`} noch nicht gesendet und ${count === 1 ? "geht" : "gehen"} verloren.`,
    logOut: "Abmelden",
    logOutAnyway: "Abmelden und den Namen verlieren",
    cancel: "Abbrechen",
  },

  sessions: {
    title: "Wo du angemeldet bist",
    named: (browser, system) =>
      browser === undefined || system === undefined
        ? (browser ?? system ?? "Unbekanntes Gerät")
        : `${browser} unter ${system}`,
    current: "Dieser Browser",
    times: (used, began) => `Zuletzt benutzt: ${used} · Angemeldet: ${began}`,
    end: "Abmelden",
    endOf: (what) => `${what} abmelden`,
    everywhere: "Überall abmelden",
    failed: "Die Liste konnte nicht geladen werden.",
  },
};

const TONES: Record<Parameters<LazyTexts["emoji"]["tone"]>[0], string> = {
  none: "keiner",
  light: "hell",
  "medium-light": "mittelhell",
  medium: "mittel",
  "medium-dark": "mitteldunkel",
  dark: "dunkel",
};

const PINS_REFUSED: Partial<Record<Code, string>> = {
  too_many_pins: `Es lassen sich nur ${PINS_MAX} Nachrichten anheften. Löse zuerst eine.`,
  not_found: "Diese Nachricht gibt es nicht mehr.",
};

/** „2 ungesendete Nachrichten und 1 Entwurf“. */
function things(drafts: number, unsent: number): string {
  const parts = [
    ...(unsent > 0
      ? [unsent === 1 ? "1 ungesendete Nachricht" : `${unsent} ungesendete Nachrichten`]
      : []),
    ...(drafts > 0 ? [drafts === 1 ? "1 Entwurf" : `${drafts} Entwürfe`] : []),
  ];
  return parts.join(" und ");
}
