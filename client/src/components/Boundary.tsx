import { Component, type ReactNode } from "react";
import { text } from "../text/text";

interface Props {
  readonly children: ReactNode;
}

/**
 * Where a mistake of ours ends: instead of an empty page, a word and the way on.
 * What was written lies in the outbox and in the drafts, and is there again after it.
 */
export class Boundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div
        role="alert"
        className="flex h-full w-full flex-col items-center justify-center gap-2 p-6 text-center"
        data-testid="broken"
      >
        <h1 className="text-lg font-semibold">{text.broken.title}</h1>
        <p className="max-w-prose text-soft">{text.broken.kept}</p>
        <button type="button" className="button-main mt-4" onClick={() => location.reload()}>
          {text.broken.reload}
        </button>
      </div>
    );
  }
}
