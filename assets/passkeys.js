// Passkeys: what needs one is shown where the browser can, and the e-mail field offers those that there are.

const { PublicKeyCredential: keys, AbortController } = window
// A passkey belongs to a host name: an address in numbers has none (WebAuthn Level 3, 5.1.2).
const named = !/^[\d.]+$|:/.test(location.hostname)
const able = named && keys?.parseRequestOptionsFromJSON && keys?.parseCreationOptionsFromJSON
let waiting = new AbortController()

async function ask(form, more) {
  const options = await (await fetch(form.dataset.passkey)).json()
  const making = form.dataset.making !== undefined
  const publicKey = making ? keys.parseCreationOptionsFromJSON(options) : keys.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials[making ? 'create' : 'get']({ publicKey, ...more })
  form.querySelector('[data-credential]').value = JSON.stringify(credential.toJSON())
  form.submit()
}

for (const form of able ? document.querySelectorAll('form[data-passkey]') : []) {
  const button = form.querySelector('[data-use]')
  button.hidden = false
  button.addEventListener('click', event => {
    event.preventDefault()
    if (!form.reportValidity()) return
    waiting.abort()
    waiting = new AbortController()
    ask(form, { signal: waiting.signal }).catch(() => {
      form.querySelector('[data-failed]').hidden = false
    })
  })
}

const field = document.querySelector('form[data-offered]')
if (able && field && (await keys.isConditionalMediationAvailable?.()))
  ask(field, { mediation: 'conditional', signal: waiting.signal }).catch(() => undefined)

for (const it of able ? [] : document.querySelectorAll('[data-unable]')) it.hidden = false
for (const it of able ? [] : document.querySelectorAll('[data-passkey-only]')) it.remove()
