interface SearchFieldProps {
  /** The name of the field for those who do not see it. */
  readonly label: string
  readonly placeholder: string
  readonly value: string
  readonly onText: (text: string) => void
  readonly onKeyDown?: (event: KeyboardEvent) => void
}

export const SearchField = ({ label, onKeyDown, onText, placeholder, value }: SearchFieldProps) => (
  <label class="inline search">
    <span class="hidden">{label}</span>
    <input
      type="search"
      placeholder={placeholder}
      value={value}
      onInput={(event) => onText(event.currentTarget.value)}
      {...(onKeyDown === undefined ? {} : { onKeyDown })}
    />
  </label>
)
