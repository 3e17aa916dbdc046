import { Component, type ReactNode, Suspense } from "react";
import { isMissingPart } from "../platform/edition";

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
}

/**
 * A part of the page that is loaded when it is needed. Where that fails nothing
 * is shown, and the rest of the page goes on; `EditionBanner` says what to do.
 */
export class Part extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return <Suspense>{this.props.children}</Suspense>;
    if (!isMissingPart(error)) throw error;
    return null;
  }
}
