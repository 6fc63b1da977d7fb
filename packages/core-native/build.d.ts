/** Builds the addon from source. Returns the compiler's exit code. */
export declare function build(): number;
