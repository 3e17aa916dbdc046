import type { Rule } from "../sdk/protocol/generated";
import type { Texts } from "./en";

/** Auf Deutsch. */
export const de: Texts = {
  page: {
    starting: "Verbindung wird aufgebaut …",
    unreachable: "Der Server ist noch nicht erreichbar. Es wird weiter versucht …",
    nothing: "Wähle eine Unterhaltung oder jemanden, der online ist.",
    notFound: "Seite nicht gefunden.",
    home: "Zu Tidings",
    notLoaded: "Das konnte nicht geladen werden. Versuche es erneut, sobald du verbunden bist.",
  },

  broken: {
    title: "Etwas ist schiefgegangen",
    kept: "Das ist unser Fehler. Deine Nachrichten und Entwürfe sind sicher. Lade die Seite neu, um weiterzumachen.",
    reload: "Neu laden",
  },

  banner: {
    reconnecting: "Verbindung wird wiederhergestellt …",
    offline: "Du bist offline. Nachrichten werden gesendet, sobald du wieder verbunden bist.",
    fault:
      "Der Server konnte etwas nicht verarbeiten und hat die Verbindung beendet. Deine Nachrichten sind sicher.",
    too_many:
      "Tidings ist an zu vielen Stellen geöffnet. Schließe eine davon, um dich hier zu verbinden. Deine Nachrichten sind sicher.",
    refused: "Der Server hat diese Verbindung beendet. Deine Nachrichten sind sicher.",
    gate: "Dein Netzwerk verlangt eine neue Anmeldung.",
    passGate: "Anmelden",
    connectAgain: "Erneut verbinden",
    connectNow: "Jetzt verbinden",
    connecting: "Verbindung wird aufgebaut …",
  },

  appVersion: {
    newer: "Eine neue Version ist verfügbar.",
    gone: "Ein Teil dieser Seite ist nicht mehr verfügbar.",
    reload: "Neu laden",
  },

  presence: {
    notConnected: "Nicht verbunden",
    connecting: "Verbindung wird aufgebaut …",
    online: "Online",
    away: "Abwesend",
    invisible: "Unsichtbar",
    gone: "Offline",
    seenJustNow: "Gerade eben zuletzt online",
    seen: (ago) => `Zuletzt online ${ago}`,
  },

  conversations: {
    title: "Unterhaltungen",
    none: "Noch keine Unterhaltungen. Wähle unten jemanden aus.",
    noneYet: "Noch keine Unterhaltungen.",
    empty: "Noch keine Nachrichten",
    typing: "schreibt …",
    draft: "Entwurf: ",
    you: "Du: ",
    unread: (count) => `${count} ungelesen`,
  },

  people: {
    label: "Wer online ist",
    title: "Online",
    search: "Suchen",
    searchLabel: "Unterhaltungen und Personen suchen",
    own: "du",
    lost: "Verbinde dich, um zu sehen, wer online ist.",
    nobody: "Sonst ist niemand online.",
    allAbove: "Alle, die online sind, stehen oben.",
    found: "Personen",
    noneFound: "Keine Treffer.",
  },

  conversation: {
    label: (name) => `Unterhaltung mit ${name}`,
    loading: "Unterhaltung wird geladen …",
    back: "Zurück zur Liste",
    missing: "Diese Unterhaltung gibt es nicht, oder du gehörst nicht dazu.",
    noFiles: "Dateien lassen sich noch nicht senden.",
    typing: (name) => [name, " schreibt …"],
  },

  notes: {
    title: "Notizen an mich",
    begin: "Notizen an dich schreiben",
    about: "Nur für dich sichtbar",
  },

  messages: {
    label: "Nachrichten",
    loading: "Nachrichten werden geladen …",
    fresh: "Neu",
    newBelow: (count) => `${count} neue`,
    olderOffline: "Ältere Nachrichten erscheinen, sobald du wieder verbunden bist.",
    back: "Zurück",
    latest: "Neueste",
    showAll: "Mehr anzeigen",
    showLess: "Weniger anzeigen",
    mine: "Du:",
    from: (name) => `${name}:`,
    failed: (excerpt) => `Nicht gesendet: ${excerpt}`,
  },

  pins: {
    pinned: "Angeheftet",
    pin: "Nachricht anheften",
    unpin: "Nachricht lösen",
    count: (count) => `${count} angeheftet`,
  },

  actions: {
    label: "Aktionen für die Nachricht",
    more: "Weitere Aktionen",
    copy: "Text kopieren",
    copyLink: "Link kopieren",
    copied: "Kopiert",
    notCopied: "Das konnte nicht kopiert werden.",
    absent: "Diese Nachricht gibt es hier nicht.",
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
  },

  states: {
    pending: "Wird gesendet …",
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
    tooLong: (over, limit) => `${over} über der Grenze von ${limit} Zeichen`,
    cut: (limit) => `Zu lang: nach ${limit} Zeichen abgeschnitten`,
  },

  emoji: {
    open: "Emoji",
    title: "Emoji",
    loading: "Emoji werden geladen …",
    failed: "Emoji konnten nicht geladen werden. Schließe dies und versuche es erneut.",
  },

  shortcuts: {
    title: "Tastenkürzel",
    keys: { enter: "Eingabe" },
  },

  notifications: {
    turnOn: "Mitteilungen einschalten",
    none: "Keine Mitteilungen",
    instead: "Neue Nachricht",
  },

  settings: {
    title: "Einstellungen",
  },

  problem: (code, sentence, rule) =>
    (rule === undefined ? undefined : RULES[code]?.[rule]) ?? PROBLEMS[code] ?? sentence,
};

/** Which rule a name or a password breaks. */
const RULES: Partial<
  Record<Parameters<Texts["problem"]>[0], Readonly<Partial<Record<Rule, string>>>>
> = {
  invalid_name: {
    empty: "Gib einen Namen ein.",
    too_short: "Ein Name hat mindestens 2 Zeichen.",
    too_long: "Ein Name hat höchstens 32 Zeichen.",
    invisible: "Ein Name darf keine unsichtbaren Zeichen enthalten.",
    not_allowed: "Der Name enthält ein Zeichen, das in Namen nicht erlaubt ist.",
    edge: "Ein Name beginnt und endet mit einem Buchstaben oder einer Ziffer.",
    doubled_separator:
      "In einem Namen dürfen nicht zwei gleiche Zeichen wie „-“ aufeinander folgen.",
    too_many_marks: "In diesem Namen stehen zu viele Zeichen über einem Buchstaben.",
    mixed_scripts: "Ein Name darf nicht Buchstaben verschiedener Schriften mischen.",
    reserved: "Dieser Name ist reserviert.",
  },
  invalid_password: {
    too_short: "Ein Passwort hat mindestens 8 Zeichen.",
    too_long: "Ein Passwort hat höchstens 128 Zeichen.",
    common: "Dieses Passwort gehört zu den häufigsten. Wähle ein anderes.",
    like_name: "Das Passwort darf nicht dein Name sein. Wähle ein anderes.",
    repetitive:
      "Dieses Passwort ist zu leicht zu erraten. Wähle eins mit mehr verschiedenen Zeichen.",
  },
};

const PROBLEMS: Partial<Record<Parameters<Texts["problem"]>[0], string>> = {
  unreachable: "Der Server ist nicht erreichbar. Versuche es gleich noch einmal.",
  invalid_text: "Dieser Text ist leer oder kann nicht gespeichert werden.",
  text_too_long: "Dieser Text ist zu lang.",
  invalid_name:
    "Dieser Name ist nicht erlaubt. Verwende 2 bis 32 Zeichen: Buchstaben einer Schrift, Ziffern und einzelne Trennzeichen dazwischen.",
  invalid_password: "Dieses Passwort ist zu kurz oder zu lang.",
  id_reused: "Diese Nachricht hat dieselbe Kennung wie eine andere. Versuche es noch einmal.",
  not_found: "Nicht gefunden.",
  rate_limited: "Zu viele Anfragen. Warte einen Moment.",
  busy: "Der Server ist gerade ausgelastet. Versuche es gleich noch einmal.",
  storage_unavailable: "Der Server kann gerade nichts speichern. Versuche es später noch einmal.",
  name_taken: "Dieser Name ist vergeben oder einem vergebenen zu ähnlich.",
  password_required: "Dieser Name hat ein Passwort. Gib es ein, um dich anzumelden.",
  wrong_password: "Falsches Passwort.",
  unauthorized: "Du bist nicht angemeldet.",
  forbidden_origin: "Diese Seite gehört nicht zu diesem Server.",
  too_large: "Das ist zu groß.",
  internal: "Auf dem Server ist etwas schiefgegangen.",
};
