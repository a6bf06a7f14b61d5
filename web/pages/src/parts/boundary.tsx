/** Shows a message instead of a page that fails to render; the frame around it stays. */

import { Component, type ReactNode } from "react";

interface Given {
  words: string;
  again: string;
  children: ReactNode;
}

export class Boundary extends Component<Given, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    const { words, again, children } = this.props;
    if (!this.state.failed) {
      return children;
    }
    return (
      <div className="empty failed" role="alert">
        <p>{words}</p>
        <button type="button" className="quiet" onClick={() => this.setState({ failed: false })}>
          {again}
        </button>
      </div>
    );
  }
}
