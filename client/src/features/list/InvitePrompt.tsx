import { useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { showToast } from "../../notifications/toasts";
import { isTouched } from "../../platform/browser";
import { copyText } from "../../platform/clipboard";
import type { User } from "../../sdk/protocol/generated";
import { LinkIcon, Strokes } from "../../ui/Icons";
import { useOpenConversation } from "../people/use-open-conversation";

/** Shown to the first person on a server: a link to share, and notes to self. */
export function InvitePrompt({ me }: { readonly me: User }) {
  const openConversation = useOpenConversation(me);
  return (
    <>
      <p className="text-base font-semibold text-ink">{lazyText.welcome.title}</p>
      <p className="max-w-prose">{lazyText.welcome.invite}</p>
      <Invitation />
      <button
        type="button"
        className="button-quiet mt-2 flex items-center gap-2"
        onClick={() => void openConversation(me)}
        data-testid="begin-notes"
      >
        <NoteIcon />
        {text.notes.begin}
      </button>
    </>
  );
}

/** The link to share; a phone opens its share sheet. */
function Invitation() {
  const [copied, setCopied] = useState(false);
  const address = location.origin;
  const shares = isTouched() && "share" in navigator;

  async function send() {
    const sent = shares ? await share(address) : await copyText(address);
    setCopied(sent && !shares);
    // The field shows the link, which can be copied by hand.
    if (!sent) showToast((toast) => toast.error(lazyText.welcome.notCopied));
  }

  return (
    <span className="flex w-full max-w-sm items-center gap-2">
      <input
        readOnly
        className="field min-w-0 flex-1 text-sm"
        aria-label={lazyText.welcome.link}
        value={address}
        onFocus={(event) => event.currentTarget.select()}
        data-testid="invitation"
      />
      <button
        type="button"
        className="button-main flex shrink-0 items-center gap-2"
        onClick={() => void send()}
        data-testid="invite"
      >
        <LinkIcon />
        {shares ? lazyText.welcome.share : copied ? lazyText.welcome.copied : lazyText.welcome.copy}
      </button>
    </span>
  );
}

/** Returns whether it could be shared; closing the share sheet is no error. */
async function share(url: string): Promise<boolean> {
  try {
    await navigator.share({ title: "Tidings", url });
    return true;
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError";
  }
}

const NoteIcon = () => (
  <Strokes>
    <path d="M7 4h10a1 1 0 0 1 1 1v15l-6-4-6 4V5a1 1 0 0 1 1-1Z" />
  </Strokes>
);
