import { excerptOf } from "../../format/excerpt";
import { lazyText, text } from "../../i18n/i18n";
import type { MessageEntry } from "../../sdk/outbox/outbox";
import { useCommands } from "../../ui/use-app";

/** Says why a message could not be sent, and offers to retry or discard it. */
export function FailedNotice({ entry }: { readonly entry: MessageEntry }) {
  const commands = useCommands();
  const { clientId, code, reason = "" } = entry;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields.
    <div
      role="group"
      aria-label={text.messages.failed(excerptOf(entry.content.body))}
      className="mt-1 flex flex-wrap items-center justify-end gap-x-3 text-sm text-bad"
      data-testid="failed"
    >
      <p>{code === undefined ? lazyText.failed.couldNotBeSent : text.problem(code, reason)}</p>
      <button type="button" className={ACT} onClick={() => commands.retry(clientId)}>
        {lazyText.failed.retry}
      </button>
      <button type="button" className={ACT} onClick={() => commands.discard(clientId)}>
        {lazyText.failed.discard}
      </button>
    </div>
  );
}

const ACT = "min-h-6 rounded font-medium underline";
