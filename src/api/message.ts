/** What may be sent without further ado: `Sendable` says it of values with types of their own. */
export type Message = Json | ArrayBuffer | ArrayBufferView

/** What a JSON text can express (RFC 8259). */
export type Json =
  string | number | boolean | null | readonly Json[] |
  { readonly [key: string]: Json | undefined }

/**
 * `Data` itself if it can be sent, and what stands in the way as `never` if not. A string is sent
 * as text as it is, bytes as a binary message, any other value as its JSON text.
 */
export type Sendable<Data> =
  [Data] extends [Message] ? Data :
    Data extends ArrayBuffer | ArrayBufferView ? Data : AsJson<Data>

type AsJson<Value> =
  Value extends string | number | boolean | null | { toJSON (): unknown } ? Value :
    Value extends undefined | bigint | symbol | Lost ? never :
      Value extends readonly unknown[] ? { readonly [Index in keyof Value]: AsJson<Value[Index]> } :
          { readonly [Key in keyof Value]: AsJson<Value[Key]> | Extract<Value[Key], undefined> }

/** What JSON leaves out, or silently makes {} of. */
type Lost =
  ((...args: never) => unknown) | PromiseLike<unknown> | ReadonlyMap<unknown, unknown> |
  ReadonlySet<unknown> | RegExp | Error
