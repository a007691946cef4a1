import { screen, within } from '@testing-library/react'
import type { UserEvent } from '@testing-library/user-event'

/** Open one of antd's selects by its label and take an option by its text. */
export async function choose(user: UserEvent, label: string, option: string, inside: HTMLElement = document.body) {
  await user.click(await within(inside).findByRole('combobox', { name: label }))
  await user.click(await screen.findByText(option, { selector: '.ant-select-item-option-content' }))
}

/** Open a menu by its button's name and take an entry; an icon is part of both names. */
export async function pick(user: UserEvent, button: string, entry: string) {
  await user.click(await screen.findByRole('button', { name: new RegExp(button) }))
  await user.click(await screen.findByRole('menuitem', { name: new RegExp(entry) }))
}
