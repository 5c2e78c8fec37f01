var e=[408,429,500,502,503,504],t=class extends Error{name=`CarillonError`;status;code;requestId;fields;retryAfter;constructor(e,{status:t=0,code:n,requestId:r=null,fields:i=[],retryAfter:a=null,cause:o}){super(e,{cause:o}),this.status=t,this.code=n,this.requestId=r,this.fields=i,this.retryAfter=a}get isTemporary(){return[`NO_ANSWER`,`NO_TOKEN`].includes(this.code)||e.includes(this.status)}},n={NOT_UTF8:1007,FLOODING:1008,TOO_LONG:1009,RESTARTING:1012,OVER_CAPACITY:1013,SILENT:4400,TOKEN_EXPIRED:4401,SLOW_READER:4408,DISABLED:4500,REPLACED:4501},r=`/api/v1/simple/sso/jump`;function i({platform:e,rest:n}){return async({id:i,action_url:a})=>{if(a===null)throw new t(`The message has no button.`,{code:`NO_BUTTON`});let o=e.openTab();try{let t=a.split(`?`)[0]===r,s=n.resolve(t?await n.getCallbackUrl(i):a);o?o.go(s):e.leaveFor(s)}catch(e){throw o?.close(),e}}}var a=`/api/v1`,o=/^https?:$/,s=/^(IMAGE|VIDEO|FILE)$/,c=class{#e;#t;constructor(e,t){this.#e=e.replace(/\/+$/,``).replace(/\/api\/v1$/,``),this.#t=t}api(e,n={}){let r=l(this.#e+a+e,this.#t);if(!r)throw new t("`baseUrl` must be an absolute address here.",{code:`NOT_CONFIGURED`});for(let[e,t]of Object.entries(n))t!==void 0&&r.searchParams.set(e,String(t));return r}resolve(e){let n=l(e,this.api(`/`).href);if(n&&o.test(n.protocol))return n.href;throw new t(`Not an address that is opened: ${e}`,{code:`BAD_ADDRESS`})}socket(e){let t=this.api(`/ws/messages`,e);return t.protocol=t.protocol.replace(`http`,`ws`),t.href}resolveMedia(e){return s.test(e.content_type)&&/^\/(?!\/)/.test(e.content)?{...e,content:this.resolve(e.content)}:e}};function l(e,t){try{return new URL(e,t)}catch{return null}}var u=1e3,d=3e4;function f(e,t,n=d){return t*Math.min(n,u*2**Math.min(e-1,30))}async function p(e,n){let{ok:r,status:i,headers:a}=e,o=await e.text(),s=m(o);if(r&&s!==void 0)return s;let c={status:i,retryAfter:te(a.get(`Retry-After`),n)};if(r||!ee(s))throw new t(`The answer (${i}) is not the API's: is \`baseUrl\` right?`,{...c,code:`NOT_JSON`,requestId:a.get(`X-Request-Id`),cause:o});let{detail:l,code:u,request_id:d}=s;throw typeof l==`string`?new t(l,{...c,code:u,requestId:d}):new t(l.map(({loc:e,msg:t})=>`${e.join(`.`)}: ${t}`).join(`; `),{...c,code:u,requestId:d,fields:l})}function m(e){try{return e===``?null:JSON.parse(e)}catch{return}}function ee(e){return typeof e==`object`&&!!e&&`code`in e&&`detail`in e}function te(e,t){if(e===null)return null;let n=/^\d+$/.test(e)?Number(e)*1e3:Date.parse(e)-t;return Number.isNaN(n)?null:Math.max(0,n)}var ne=3e4,re=1e4,ie=3e4,ae=[`GET`,`PUT`,`DELETE`],oe=class{#e;constructor(e){this.#e=e}async ask(e,n,r={}){let i=ae.includes(e)||`Idempotency-Key`in(r.headers??{}),a=r.retries??(i?2:0);for(let i=1;;i++)try{return await this.#t(e,n,r)}catch(e){if(!(e instanceof t)||i>a||!ce(e,i))throw e;let n=(e.retryAfter??0)+f(i,this.#e.platform.random(),re);await this.#r(n,r.signal)}}async exchange(e,n){let{signal:r,timeout:i}=n;if(r?.aborted)throw se(r.reason);let a=new AbortController,o=()=>a.abort();r?.addEventListener(`abort`,o);let s=i===1/0?void 0:this.#e.platform.after(i,o);try{let t=await e(a.signal);return{body:await p(t,this.#e.platform.now()),headers:t.headers}}catch(e){throw e instanceof t?e:r?.aborted?se(e):new t(a.signal.aborted?`There was no answer in ${i/1e3} s.`:`The server was not reached, or does not allow this page's origin.`,{code:`NO_ANSWER`,cause:e})}finally{s?.(),r?.removeEventListener(`abort`,o)}}async#t(e,n,r){for(let i=!1;;i=!0){let a=await this.#e.tokens.load();try{return await this.#n(a,e,n,r)}catch(e){if(!(e instanceof t)||e.status!==401||(this.#e.tokens.refuse(a,e.code===`TOKEN_EXPIRED`?`expired`:`refused`),i))throw e}}}#n(e,t,n,r){let{query:i,body:a,signal:o,timeout:s=ne}=r,c={Authorization:`Bearer ${e}`,...r.headers};a!==void 0&&(c[`Content-Type`]=`application/json`);let l={method:t,headers:c,body:a===void 0?null:JSON.stringify(a)},u=this.#e.addresses.api(n,i).href,{fetch:d}=this.#e.platform;return this.exchange(e=>d(u,{...l,signal:e}),{signal:o,timeout:s})}#r(e,t){return new Promise(n=>{let r=this.#e.platform.after(e,n);t?.addEventListener(`abort`,()=>{r(),n()},{once:!0})})}};function se(e){return new t(`The caller ended the request.`,{code:`ABORTED`,cause:e})}function ce(e,t){return!e.isTemporary||e.code===`NO_TOKEN`||(e.retryAfter??0)>ie?!1:e.status!==500||t===1}async function le(e,t,n){let{http:r,addresses:i,platform:a,onProgress:o,signal:s}=n,{fetch:c,XMLHttpRequest:l}=a,u=i.resolve(t.url),d=`headers`in t?t.headers:{},f=`fields`in t?ue(t.fields,e):e;await r.exchange(async e=>{let n={method:t.method,headers:d,body:f,signal:e},r=o&&l?await de(new l,u,n,o):await c(u,n);return r.ok?new Response(null):r},{signal:s,timeout:1/0}),o?.(1)}function ue(e,t){let n=new FormData;for(let[t,r]of Object.entries(e))n.append(t,r);return n.append(`file`,t),n}function de(e,t,n,r){return new Promise((i,a)=>{let o=()=>e.abort(),s=()=>a(TypeError(`The upload was cut off.`));e.open(n.method,t);for(let[t,r]of Object.entries(n.headers))e.setRequestHeader(t,r);e.upload.onprogress=({loaded:e,total:t})=>r(t===0?0:e/t),e.onload=()=>i(new Response(e.responseText||null,{status:e.status})),e.onerror=s,e.onabort=s,e.onloadend=()=>n.signal.removeEventListener(`abort`,o),n.signal.addEventListener(`abort`,o),e.send(n.body)})}var fe=`私信`,pe=50,me=5;function he(e){let{platform:t,addresses:n}=e,r=new oe(e);async function i(...e){return(await r.ask(...e)).body}return{request:i,resolve:e=>n.resolve(e),async listConversations({limit:e=pe,cursor:t,...n}={}){let i={limit:e,cursor:t??void 0},{body:a,headers:o}=await r.ask(`GET`,`/messages/conversations`,{...n,query:i});return{items:a,cursor:ge(o)}},async getHistory(e,{limit:t=pe,before_id:r,...a}={}){let o={limit:t,before_id:r};return(await i(`GET`,`/messages/history/${e}`,{...a,query:o})).map(e=>n.resolveMedia(e))},async send({idempotency_key:e,title:r=fe,...a}){let o={"Idempotency-Key":e??t.uuid()},s={type:`MESSAGE`,title:r,...a};return n.resolveMedia(await i(`POST`,`/messages/`,{body:s,headers:o,retries:me}))},recall:e=>i(`DELETE`,`/messages/${e}`),async markRead(e,t){let n={up_to_id:t};return(await i(`PUT`,`/messages/conversations/${e}/read`,{body:n})).updated_count},async getUnreadCount(){return(await i(`GET`,`/messages/unread-count`)).total},async getCallbackUrl(e){return(await i(`GET`,`/messages/${e}/callback-url`)).callback_url},searchPeople(e,{limit:t,...n}={}){return i(`GET`,`/users/search`,{...n,query:{q:e,limit:t}})},async listLaunchpadApps(){return(await i(`GET`,`/simple/me/launchpad-apps`)).items},async signOn(e){return(await i(`POST`,`/simple/sso-login`,{body:{app_id:e}})).redirect_url},async upload(e,a={}){let o={content_type:e.type,filename:e.name,size:e.size},{signal:s}=a,c=await i(`POST`,`/media/uploads`,{body:o,...s&&{signal:s}});return await le(e,c.upload,{http:r,addresses:n,platform:t,...a}),{key:c.key,content_type:_e(e.type)}},async issueSocketTicket(e={}){return(await i(`POST`,`/ws/tickets`,e)).ticket}}}function ge(e){let t=/[?&]cursor=([^&>]+)[^>]*>; *rel="next"/.exec(e.get(`Link`)??``)?.[1];return t===void 0?null:decodeURIComponent(t)}function _e(e){return e.startsWith(`image/`)?`IMAGE`:e.startsWith(`video/`)?`VIDEO`:`FILE`}var ve=class{#e;#t;#n=null;#r=null;#i=`start`;#a=!1;#o=null;constructor(e,t){this.#e=e,this.#t=t}me={get:()=>this.#o,load:async()=>{if(await this.load(),this.#o!==null)return this.#o;throw new t("The token is no JWT whose `sub` is a person's id.",{code:`NOT_CONFIGURED`})}};get(){return this.#n}async load(){if(this.#a)throw ye();return this.#n===null?(this.#r??=this.#s().finally(()=>{this.#r=null}),this.#r):this.#n}refuse(e,t){e!==null&&e===this.#n&&(this.#n=null,this.#i=t)}reset(){this.#a&&(this.#a=!1,this.#i=`start`)}async#s(){let e;try{e=await this.#e(this.#i)}catch(e){throw new t("`getToken` failed.",{code:`NO_TOKEN`,cause:e})}let n=e?be(e):null;if(e&&(this.#o===null||n===this.#o))return this.#n=e,this.#o=n,e;throw this.#a=!0,this.#t(),ye()}};function ye(){return new t("`getToken` gave no token, or another person's.",{code:`SIGNED_OUT`})}function be(e){try{let t=(e.split(`.`)[1]??``).replaceAll(`-`,`+`).replaceAll(`_`,`/`),{sub:n}=JSON.parse(atob(t)),r=Number(n);return Number.isSafeInteger(r)&&r>0?r:null}catch{return null}}var xe=class{#e=new Set;add(e){let t=(...t)=>e(...t);return this.#e.add(t),()=>void this.#e.delete(t)}call(...e){for(let t of[...this.#e])try{t(...e)}catch(e){Se(e)}}};function Se(e){queueMicrotask(()=>{throw e})}var h=class{#e=new xe;#t;constructor(e){this.#t=e}get=()=>this.#t;subscribe=e=>this.#e.add(e);set(e){Object.is(e,this.#t)||(this.#t=e,this.#e.call())}update(e){Object.keys(e).some(t=>e[t]!==this.#t[t])&&this.set({...this.#t,...e})}},Ce={[n.FLOODING]:`flooding`,[n.DISABLED]:`disabled`,[n.REPLACED]:`replaced`};function we(e){return e===n.FLOODING||e>=4500&&e<=4999?Ce[e]??`refused`:null}var Te={HELLO:!0,POSITION:!0,NEW_MESSAGE:!0,MESSAGE_UPDATED:!0,CONVERSATION_READ:!0,ALL_READ:!0,MESSAGE_RECALLED:!0,RESYNC:!0};function Ee(e){if(typeof e!=`string`||!e.startsWith(`{`))return null;let t;try{t=JSON.parse(e)}catch{return null}let n=typeof t.type==`string`&&Object.hasOwn(Te,t.type);return{pos:typeof t.pos==`string`?t.pos:null,frame:n?t:null}}var De=2e4,Oe=5e3,ke=2e3,Ae=class{#e;#t;#n;#r=()=>{};#i=!0;#a=!1;constructor(e,t){this.#e=e,this.#t=t.ping,this.#n=t.onSilent,this.#o()}hear(){this.#i=!0}check(){this.#a||(this.#a=!0,this.#s(Oe,!0))}stop(){this.#r()}#o(){this.#c(5e3,()=>this.#s(De,!0))}#s(e,t){this.#i=!1,this.#t();let n=this.#e.now()+e;this.#c(e,()=>{let e=this.#e.now()-n>ke;this.#a=!1,this.#i&&!e?this.#o():this.#i?this.#s(De,!0):e&&t?this.#s(Oe,!1):this.#n()})}#c(e,t){this.#r(),this.#r=this.#e.after(e,t)}},je=15e3,Me=class{#e;#t=new AbortController;#n;#r=null;#i=!1;constructor(e){this.#e=e,this.#n=e.platform.after(je,()=>this.end(Pe())),this.#a()}send(e){this.#r?.readyState===1&&this.#r.send(e)}settle(){this.#n()}end(e){this.#i||(this.#i=!0,this.#n(),this.#t.abort(),this.#r?.close(1e3),e&&this.#e.onEnd(e))}async#a(){let{rest:e,addresses:n,since:r,onTicket:i}=this.#e;try{let t=await e.issueSocketTicket({signal:this.#t.signal});if(this.#i)return;i(),this.#o(n.socket({ticket:t,since:r??void 0}))}catch(e){this.end(e instanceof t?{code:null,error:e}:Pe(e))}}#o(e){let{WebSocket:n}=this.#e.platform;if(!n)throw new t(Ne,{code:`NOT_CONFIGURED`});let r=new n(e);this.#r=r;let i=!1;r.onopen=()=>{i=!0},r.onmessage=({data:e})=>{this.#i||this.#e.onData(e)},r.onerror=()=>{},r.onclose=({code:e})=>this.end(i?{code:e,error:null}:Pe())}},Ne="There is no WebSocket here: pass one as `platform: { WebSocket }`.";function Pe(e){return{code:null,error:new t(`The socket was not opened.`,{code:`NO_ANSWER`,cause:e})}}var Fe=5e3,Ie=1e4,Le=class{state=new h({status:`idle`});clockOffset=new h(0);position;#e;#t=new xe;#n=new xe;#r=null;#i=null;#a=0;#o=null;#s=null;#c=()=>{};#l=()=>{};constructor(e){this.#e=e,this.position=new h(e.since)}start(){if(this.#b())return;let{platform:e,tokens:n}=this.#e;if(!e.WebSocket)throw new t(Ne,{code:`NOT_CONFIGURED`});n.reset();let r=[e.onWake(()=>this.wake()),e.onNetworkChange(()=>this.#m())];this.#l=()=>r.forEach(e=>e()),this.#a=0,this.#u()}stop(e=`closed`){this.#y(e,{})}wake(){let{status:e}=this.state.get();e===`waiting`||e===`offline`?this.#u():e===`open`&&this.#i?.check()}onFrame(e){return this.#t.add(e)}onFresh(e){return this.#n.add(e)}#u(){this.#c(),this.state.set({status:`connecting`,attempt:this.#a+1});let e=this.position.get();this.#r=new Me({...this.#e,since:e,onTicket:()=>{this.#s=this.#e.tokens.get()},onData:t=>this.#d(t,e),onEnd:e=>this.#g(e)})}#d(e,t){this.#i?.hear();let n=Ee(e);if(!n)return;let{frame:r,pos:i}=n;r?.type===`HELLO`?this.#f(r.data.server_time_ms,t===null):r&&r.type!==`POSITION`&&this.#p(r),i!==null&&this.position.set(i)}#f(e,t){let{platform:n}=this.#e;this.#r?.settle(),this.#o=n.now(),this.clockOffset.set(e-n.now()),this.#i=new Ae(n,{ping:()=>this.#r?.send(`ping`),onSilent:()=>this.#h(`Nothing came from the server any more.`)}),this.state.set({status:`open`}),t&&this.#n.call()}#p(e){e.type===`RESYNC`&&this.#n.call(),(e.type===`NEW_MESSAGE`||e.type===`MESSAGE_UPDATED`)&&(e={...e,data:this.#e.addresses.resolveMedia(e.data)}),this.#t.call(e)}#m(){this.#e.platform.isOnline()||(this.#h(`There is no network.`),this.state.get().status===`waiting`&&this.state.set({status:`offline`}))}#h(e){this.#r?.end({code:null,error:new t(e,{code:`NO_ANSWER`})})}#g({code:e,error:t}){let{platform:r,tokens:i}=this.#e,a=this.#o===null?0:r.now()-this.#o;if(this.#x(),t?.code===`SIGNED_OUT`)return this.stop(`signed_out`);if(t&&Re(t))return this.#y(`refused`,{error:t});let o=e===null?null:we(e);if(o)return this.#y(o,{code:e});e===n.TOKEN_EXPIRED&&i.refuse(this.#s,`expired`),a>=Ie&&(this.#a=0),this.#a+=1,this.#v(this.#_(e,t),t)}#_(e,t){let{platform:r}=this.#e,i=r.random();return e===n.TOKEN_EXPIRED&&this.#a===1?0:e===n.RESTARTING&&this.#a===1?i*Fe:(t?.retryAfter??0)+f(this.#a,i)}#v(e,t){let{platform:n}=this.#e,r=Math.round(n.now()+e);this.#c=n.after(e,()=>this.#u()),this.state.set(n.isOnline()?{status:`waiting`,attempt:this.#a+1,retryAt:r,error:t}:{status:`offline`})}#y(e,{code:t=null,error:n=null}){this.#b()&&(this.#c(),this.#l(),this.#r?.end(null),this.#x(),this.state.set({status:`stopped`,reason:e,code:t,error:n}))}#b(){return![`idle`,`stopped`].includes(this.state.get().status)}#x(){this.#i?.stop(),this.#i=null,this.#r=null,this.#o=null}};function Re(e){return[401,403].includes(e.status)||e.code===`NOT_CONFIGURED`}function ze(e={}){let t=globalThis;return{now:()=>Date.now(),random:()=>Math.random(),uuid:Be,after(e,t){let n=setTimeout(t,e);return()=>clearTimeout(n)},fetch:(e,t)=>fetch(e,t),XMLHttpRequest:t.XMLHttpRequest,WebSocket:t.WebSocket,locks:t.navigator?.locks,BroadcastChannel:t.BroadcastChannel,location:t.location?.href,isOnline:()=>t.navigator?.onLine!==!1,onWake(e){return He(g(t,`online`,e),g(t.document,`visibilitychange`,()=>{t.document?.visibilityState===`visible`&&e()}))},onSuspend:(e,n)=>He(g(t,`pagehide`,e),g(t,`pageshow`,n),g(t.document,`freeze`,e),g(t.document,`resume`,n)),onNetworkChange:e=>He(g(t,`online`,e),g(t,`offline`,e)),openTab:()=>Ve(t.window),leaveFor(e){t.location?.assign(e)},...e}}function Be(){return Array.from(crypto.getRandomValues(new Uint8Array(16)),e=>e.toString(16).padStart(2,`0`)).join(``)}function Ve(e){let t=e?.open(``,`_blank`);return t?(t.opener=null,{go:e=>t.location.replace(e),close:()=>t.close()}):null}function g(e,t,n){let r=()=>n();return e?.addEventListener?.(t,r),()=>e?.removeEventListener?.(t,r)}function He(...e){return()=>e.forEach(e=>e())}function Ue(e){if(!(`error`in e)||!e.error)return{state:e,error:null};let{message:t,status:n,code:r,requestId:i,fields:a,retryAfter:o}=e.error;return{state:{...e,error:null},error:{message:t,status:n,code:r,requestId:i,fields:a,retryAfter:o}}}function We({state:e,error:n}){return n&&`error`in e?{...e,error:new t(n.message,n)}:e}var Ge=1e3,Ke=class{#e={term:0,count:0};#t=[];#n=[];get place(){return this.#e}begin(e,t){this.#e={term:Math.max(e,this.#e.term+1)+t,count:0}}advance(){this.#e={...this.#e,count:this.#e.count+1}}read({place:e,after:t,hasEvent:n}){if(e.term<this.#e.term)return null;let r=e.term===this.#e.term||this.#r(e.term,t),i=this.#e.count,a=!r||i<e.count-+!!n;return e.count>i&&(this.#e=e),{hasGap:a,isNew:n&&e.count>i}}isRepeat(e){let t=qe(e);if(t===null)return!1;this.#t.push(t),this.#t.length>Ge&&this.#t.shift();let n=this.#n.indexOf(t);return this.#n=n<0?[]:this.#n.slice(n+1),n>=0}#r(e,t){let n=t?.term===this.#e.term?this.#e.count-t.count:null;return this.#e={term:e,count:0},n===null?this.#n=[...this.#t]:n>0&&this.#n.push(...this.#t.slice(-n)),t===null||n!==null&&n>=0}};function qe(e){if(!(`data`in e))return null;let t={...e.data};return JSON.stringify([e.type,...[`id`,`version`,`conversation_id`,`up_to_id`,`unread_count`].map(e=>t[e])])}var Je=class{state=new h({status:`idle`});clockOffset=new h(0);frames=new xe;fresh=new xe;position=null;#e=new Ke;#t=!1;#n=``;get place(){return this.#e.place}lead(e,t){let n=this.position===null?null:this.#e.place;return this.#e.begin(e,t),n||(this.#t=!1),n}count(e){this.#e.advance(),e!==`fresh`&&(this.position=e.pos)}read(e){let{place:t,after:n,event:r}=e,i=this.#e.read({place:t,after:n,hasEvent:r!==null});if(!i)return!1;let a=i.isNew?r:null;return this.position=e.position,this.clockOffset.set(e.clockOffset),!n&&t.count===0&&(this.#t=!1),(i.hasGap||a===`fresh`)&&(this.#t=!0),this.#r(e.state),a!==null&&a!==`fresh`&&this.pass(a),!0}pass(e){e===`fresh`?(this.#t=!0,this.#i()):this.#e.isRepeat(e)||this.frames.call(e)}show(e){this.#n=``,this.state.set(e),this.#i()}#r(e){let t=JSON.stringify(e);t!==this.#n&&this.show(We(e)),this.#n=t,this.#i()}#i(){this.#t&&this.state.get().status===`open`&&(this.#t=!1,this.fresh.call())}},Ye=class{#e;#t=0;#n=()=>{};constructor(e){this.#e=e}join(){this.leave();let e=new AbortController;this.#n=()=>e.abort(),this.#r({signal:e.signal})}steal(){this.leave(),this.#r({steal:!0})}leave(){this.#t+=1,this.#n(),this.#n=()=>{}}#r(e){let{locks:t,name:n,onElected:r,onDeposed:i,onForbidden:a}=this.#e,o=this.#t,s=!1;t.request(n,e,()=>{if(o===this.#t)return s=!0,new Promise(e=>{this.#n=e,r()})}).catch(()=>{o===this.#t&&(s?i():a())})}},Xe=2e4,Ze=1e3,Qe=class{#e;#t;#n;#r=!0;#i=null;#a=-1/0;#o=null;#s=()=>{};#c=()=>{};constructor(e){let{platform:t,name:n,onNote:r}=e,{locks:i}=t;if(!i)throw Error(`There are no Web Locks.`);this.#e=e,this.#n=this.#_(e=>e.kind===`mark`?this.#m(e.id):r(e)),this.#t=new Ye({locks:i,name:n,onElected:()=>this.#p(),onDeposed:()=>this.stepDown(),onForbidden:()=>this.#h()}),this.#l()}post(e){this.#n?.postMessage(e)}hear(){this.#a=this.#e.platform.now(),this.#i?this.#i.hear():this.#r&&this.#u()}check(){this.#a=-1/0,this.#i?.check()}stepDown(){this.#s(),this.#e.onDeposed(),this.#l()}leave(){this.#s(),this.#f(),this.#t.leave(),this.#n?.close(),this.#n=null}#l(){this.#r=!0,this.#t.join(),this.#u(),this.check()}#u(){let{platform:e}=this.#e;this.#f();let t=()=>{e.now()-this.#a<Xe?this.#i?.hear():this.post({kind:`ask`})};this.#i=new Ae(e,{ping:t,onSilent:()=>this.#d()})}#d(){let{platform:e}=this.#e;this.#i=null,this.#c=e.after(e.random()*Ze,()=>{this.#t.steal(),this.#u()})}#f(){this.#c(),this.#i?.stop(),this.#i=null}#p(){let{platform:e}=this.#e;this.#r=!1,this.#f();let t=e.uuid(),n=this.#_(()=>{});this.#o=t,this.#s=()=>{this.#o=null,n.close(),this.#s=()=>{}},n.postMessage({kind:`mark`,id:t})}#m(e){e===this.#o&&this.#g()}#h(){this.#r=!1,this.#f(),this.#n?.close(),this.#n=null,this.#g()}#g(){this.#s(),this.#e.onElected()}#_(e){let{BroadcastChannel:t}=this.#e.platform;if(!t)throw Error(`There is no BroadcastChannel.`);let n=new t(this.#e.name);return n.onmessage=({data:t})=>e(t),n}},$e=class{#e;#t=new Je;#n=null;#r=null;#i=0;#a=0;#o=()=>{};#s=()=>{};#c=!1;#l=!1;#u=!1;constructor(e){this.#e=e}state=this.#t.state;clockOffset=this.#t.clockOffset;onFrame(e){return this.#t.frames.add(e)}onFresh(e){return this.#t.fresh.add(e)}start(){if(this.#c)return;let{platform:e}=this.#e;if(!e.WebSocket)throw new t(Ne,{code:`NOT_CONFIGURED`});this.#c=!0,this.#a=0;let n=[e.onWake(()=>this.wake()),e.onSuspend(()=>this.#m(),()=>this.#h())];this.#s=()=>n.forEach(e=>e()),this.#d()}stop(e=`closed`){e===`signed_out`&&this.#n?.post({kind:`signed_out`}),this.#_({status:`stopped`,reason:e,code:null,error:null})}wake(){if(this.#r)return this.#r.socket.wake();this.#n?.post({kind:`wake`}),this.#n?.check(),this.#l&&this.#d()}async#d(){let{platform:e,me:t,baseUrl:n}=this.#e;this.#g();let r=this.#i;this.#t.show({status:`connecting`,attempt:this.#a+1});try{let i=await t.load(),a=new c(n,e.location).api(`/`).href;r===this.#i&&(this.#n=this.#f(`carillon 1 ${i} ${a}`))}catch(e){r===this.#i&&this.#p(e)}}#f(e){let{platform:t}=this.#e;return new Qe({platform:t,name:e,onElected:()=>this.#v(),onDeposed:()=>this.#r?.end(),onNote:e=>this.#C(e)})}#p(e){let{platform:t}=this.#e,n=et(e);if(n.code===`SIGNED_OUT`)return this.stop(`signed_out`);if(!n.isTemporary)return this.#_({status:`stopped`,reason:`refused`,code:null,error:n});this.#a+=1;let r=f(this.#a,t.random());this.#l=!0,this.#o=t.after(r,()=>void this.#d());let i=t.now()+r;this.#t.show({status:`waiting`,attempt:this.#a+1,retryAt:i,error:n})}#m(){this.#g(),this.#u=!0}#h(){this.#u&&this.#d()}#g(){this.#i+=1,this.#l=this.#u=!1,this.#o(),this.#r?.end(),this.#n?.leave(),this.#n=null,this.#t.position=null}#_(e){this.#c&&(this.#c=!1,this.#s(),this.#g(),this.#t.show(e))}#v(){let{platform:e,connect:t}=this.#e,n=this.#t.lead(e.now(),e.random()),r=t(this.#t.position),i=[r.state.subscribe(()=>this.#y(r)),r.position.subscribe(()=>this.#b(r.position.get())),r.onFresh(()=>this.#x(`fresh`)),r.onFrame(e=>this.#x(e))],a=()=>{this.#r=null,i.forEach(e=>e()),r.stop()};this.#r={socket:r,after:n,end:a},r.start()}#y(e){let t=e.state.get();this.#t.clockOffset.set(e.clockOffset.get()),this.#S(null,t),t.status===`stopped`?this.#_(t):this.#t.show(t)}#b(e){e!==this.#t.position&&(this.#t.position=e,this.#S(null))}#x(e){this.#t.count(e),this.#S(e),this.#t.pass(e)}#S(e,t=this.state.get()){let{place:n,position:r,clockOffset:i}=this.#t;if(!this.#r)return;let{after:a}=this.#r,o={place:n,after:a,event:e,position:r,state:Ue(t),clockOffset:i.get()};this.#n?.post({kind:`bulletin`,...o})}#C(e){if(e.kind===`signed_out`)return this.#_({status:`stopped`,reason:`signed_out`,code:null,error:null});if(e.kind===`bulletin`)return this.#w(e);e.kind===`wake`&&this.#r?.socket.wake(),this.#S(null)}#w(e){if(this.#r&&e.place.term<=this.#t.place.term||(this.#r&&this.#n?.stepDown(),!this.#t.read(e)))return;this.#n?.hear();let t=this.state.get();t.status===`stopped`&&this.#_(t)}};function et(e){return e instanceof t?e:new t(`The tabs of this browser cannot reach each other.`,{code:`NOT_CONFIGURED`,cause:e})}function tt(e){return new $e(e)}function nt(e){let{baseUrl:t}=e,n=ze(e.platform),r=new c(t,n.location),i=new ve(e.getToken,()=>u.stop(`signed_out`)),{me:a}=i,o={platform:n,addresses:r,tokens:i},s=he(o),l=e=>new Le({...o,rest:s,since:e}),u=e.shareSocket!==!1&&n.locks&&n.BroadcastChannel?tt({baseUrl:t,platform:n,me:a,connect:l}):l(null);return{platform:n,tokens:i,me:a,rest:s,connection:u}}var rt=class{#e=0;#t=[];begin(){let e=!1;return this.#e+=1,()=>{e||(e=!0,--this.#e,queueMicrotask(()=>this.#n()))}}async track(e){let t=this.begin();try{return await e()}finally{t()}}settled(){return new Promise(e=>{this.#t.push(e),queueMicrotask(()=>this.#n())})}#n(){if(this.#e>0)return;let e=this.#t;this.#t=[];for(let t of e)t()}},it=class{#e;#t;#n=0;#r=()=>{};constructor(e,t){this.#e=e,this.#t=t}plan(e){if(this.#r(),!e.isTemporary)return;this.#n+=1;let t=f(this.#n,this.#e.random());this.#r=this.#e.after(Math.max(t,e.retryAfter??0),this.#t)}clear(){this.#r(),this.#n=0}};function at(e,t,n){let{created_at:r,read_at:i,sender_name:a,...o}={is_read:t===n,read_at_ms:null,read_at:null,sender_name:``,...e};return{...o,conversation_id:t,is_mine:st(e,t,n),delivery:`sent`,error:null}}function ot(e,t,n){if(!t||t.version<=e.version)return e;let{is_read:r,read_at_ms:i}=e;return{...at(t,e.conversation_id,n),is_read:r,read_at_ms:i}}function st({sender_id:e},t,n){return t>0&&e===n}function ct(e,t){let{ref:n,peer:r,me:i,now:a}=t;return{id:0,client_ref:n,conversation_id:r,sender_id:i,receiver_id:r,app_id:null,app_name:null,type:`MESSAGE`,content_type:e.content_type??`TEXT`,title:e.title??`私信`,content:typeof e.content==`string`?e.content:JSON.stringify(e.content),filename:null,action_url:null,action_text:null,state:null,state_text:null,ref:null,version:1,created_at_ms:a,is_read:r===i,read_at_ms:null,is_mine:!0,delivery:`sending`,error:null}}var lt=200;function ut(e,t){return e.find(({user_id:e})=>e===t)}function dt(e){return e.reduce((e,{unread_count:t})=>e+t,0)}function ft(e,t){let n=e.filter(({user_id:e})=>e!==t.user_id),r=n.findIndex(({updated_at_ms:e})=>e<=t.updated_at_ms);return r<0?[...n,t]:[...n.slice(0,r),t,...n.slice(r)]}function pt(e,t,n){return t.created_at_ms<=e.updated_at_ms?null:{...e,unread_count:e.unread_count+ +!st(t,t.conversation_id,n),last_message:gt(t),last_message_type:t.content_type,updated_at:t.created_at,updated_at_ms:t.created_at_ms}}function mt(e,t){return t.created_at_ms===e.updated_at_ms&&gt(t)!==e.last_message}function ht(e,t,n){return e.map(e=>e.user_id===t&&e.unread_count!==n?{...e,unread_count:n}:e)}function gt({content_type:e,content:t}){return e===`TEXT`?Array.from(t).slice(0,lt).join(``):`[${e}]`}var _t=100,vt=1e3,yt=class{view=new h({items:[],hasMore:!1,isLoading:!1,error:null});unread=new h(0);#e;#t;#n=[];#r=0;#i=50;#a=!1;#o=!1;#s=!1;#c=null;#l=0;#u=null;#d=null;constructor(e){this.#e=e,this.#t=new it(e.platform,()=>void this.reload())}reload(){return this.#l+=1,this.#_(),this.#u??=this.#e.activity.track(()=>this.#p()).finally(()=>{this.#u=null}),this.#u}async loadMore(){if(this.#a&&this.#o)this.#i=this.#n.length+50;else if(this.#a&&!this.#c)return;this.#s=!0,this.#v(),await this.reload()}take(e){switch(this.#l+=1,e.type){case`NEW_MESSAGE`:return this.#f(e.data);case`MESSAGE_UPDATED`:{let t=ut(this.#n,e.data.conversation_id);return t&&mt(t,e.data)?this.#g(_t):void 0}case`CONVERSATION_READ`:return this.#n=ht(this.#n,e.data.conversation_id,e.data.unread_count),this.#v(),this.#g(vt);case`ALL_READ`:case`MESSAGE_RECALLED`:return this.#g(_t)}}doubt(){this.#g(_t)}#f(e){let t=this.#e.forms.get(e.id),n=t&&t.version>e.version?t:e,r=ut(this.#n,n.conversation_id),i=r&&pt(r,n,this.#e.person());if(!i)return this.#g(_t);this.#n=ft(this.#n,i),this.#v()}async#p(){this.#s||=!this.#a,this.#c=null,this.#v();try{for(;;){let e=this.#l,t=await this.#m(),n=e===this.#l;if((n||this.#s)&&this.#h(t),n)break;await new Promise(e=>this.#e.platform.after(vt,e))}this.#t.clear()}catch(e){if(!(e instanceof t))throw e;this.#c=e,this.#t.plan(e)}finally{this.#s=!1,this.#v()}}async#m(){let{rest:e}=this.#e,t=new Map,n=null;do{let r=Math.min(200,Math.max(1,this.#i-t.size)),i=await e.listConversations({limit:r,cursor:n});for(let e of i.items)t.delete(e.user_id),t.set(e.user_id,e);n=i.cursor}while(n!==null&&t.size<this.#i);let r=[...t.values()];return{lines:r,hidden:n===null?0:Math.max(0,await e.getUnreadCount()-dt(r)),hasMore:n!==null}}#h({lines:e,hidden:t,hasMore:n}){this.#n=e,this.#r=t,this.#o=n,this.#a=!0,this.#s=!1,this.#v()}#g(e){if(this.#u)return;let{platform:t,activity:n}=this.#e,r=t.now()+e;if(this.#d&&this.#d.at<=r)return;this.#_();let i=n.begin(),a=t.after(e,()=>{this.#d=null,this.reload().finally(i)});this.#d={at:r,end:()=>{a(),i()}}}#_(){this.#d?.end(),this.#d=null}#v(){this.view.update({items:this.#n,hasMore:this.#o,isLoading:this.#s,error:this.#c}),this.unread.set(dt(this.#n)+this.#r)}};function bt(e,t){let n=Tt(e,t.id),r=e[n],i=r?.id===t.id;return i&&r.version>t.version?e:[...e.slice(0,n),t,...e.slice(i?n+1:n)]}function xt(e,t){let n=Tt(e,t);return e[n]?.id===t?[...e.slice(0,n),...e.slice(n+1)]:e}function St(e,t){let n=({id:e,is_mine:n,is_read:r})=>!n&&!r&&e<=t;return e.some(n)?e.map(e=>n(e)?{...e,is_read:!0}:e):e}function Ct(e,t,n){let r=e.filter(({id:e})=>n.has(e));return r.length===0?t:[...t.filter(({id:e})=>!n.has(e)),...r].sort((e,t)=>e.id-t.id)}function wt(e,t){let n=e[0]?.id??1/0;return[...t.filter(({id:e})=>e<n),...e]}function Tt(e,t){let[n,r]=[0,e.length];for(;n<r;){let i=n+r>>1;(e[i]?.id??1/0)<t?n=i+1:r=i}return n}var Et=class{view=new h({items:[],hasOlder:!1,isLoading:!1,error:null});holders=0;#e;#t;#n;#r=[];#i=[];#a=!1;#o=!1;#s=null;#c=0;#l=new Set;#u=0;#d=Promise.resolve();#f=!1;#p=!1;#m;constructor(e,t,n){this.#e=e,this.#t=t,this.#m=n,this.#n=new it(e.platform,()=>void this.reload())}get isLoaded(){return this.#a}load(){return this.#a?Promise.resolve():this.reload()}reload(){return this.#f?this.#d:(this.#f=!0,this.#h(async()=>{this.#f=!1;let e=this.#a?this.#r[0]?.id??0:1/0,t=await this.#_(e);this.#r=Ct(this.#r,this.#b(t.messages),this.#l),this.#o=t.hasOlder,this.#a=!0},!0))}refresh(){this.holders>0?this.reload():this.#a&&this.unload()}loadOlder(){return this.#h(async()=>{if(!this.#a||!this.#o)return;let e=await this.#v(50,this.#r[0]?.id);this.#r=wt(this.#r,this.#b(e)),this.#o=e.length===50})}trim(){this.#r.length<=50||(this.#r=this.#r.slice(-50),this.#o=!0,this.#S())}unload(){this.#n.clear(),this.#r=[],this.#a=this.#o=!1,this.#s=null,this.#S()}take(e){let t=at(e,this.#t,this.#e.person());this.#y(t),t.id<(this.#r.at(-1)?.id??0)&&(this.#p=!0,this.refresh()),this.add(t)}add(e){let t=this.#x(e);if(this.#c>0&&this.#l.add(t.id),this.#e.recalled.has(t.id))return;let n=this.#r[0]?.id,r=this.#o&&n!==void 0&&t.id<n;(this.#a&&!r||this.#c>0)&&(this.#r=bt(this.#r,t)),this.#S()}renew(){this.#r=this.#r.map(e=>this.#x(e)),this.#S()}removeMessage(e){this.#r=xt(this.#r,e),this.#S()}readUpTo(e){this.#u=Math.max(this.#u,e),this.#r=St(this.#r,e),this.#S(),this.#p&&this.refresh()}putPending(e){let t=this.#i.some(({client_ref:t})=>t===e.client_ref);this.#i=t?this.#i.map(t=>t.client_ref===e.client_ref?e:t):[...this.#i,e],this.#S()}dropPending(e){this.#i=this.#i.filter(({client_ref:t})=>t!==e),this.#S()}#h(e,t=!1){let n=()=>this.#e.activity.track(()=>this.#g(e,t));return this.#d=this.#d.then(n,n),this.#d}async#g(e,n){this.#c+=1,this.#l=new Set,this.#u=0,this.#s=null,this.#S();try{await e(),n&&this.#n.clear()}catch(e){if(!(e instanceof t))throw e;this.#s=e,n&&this.#n.plan(e)}finally{--this.#c,this.#S()}}async#_(e){let t=[],n=e===1/0?50:100;for(let r=1;;r++){let i=await this.#v(n,t[0]?.id);if(t=[...i,...t],i.length<n)return{messages:t,hasOlder:!1};if(e===1/0||(t[0]?.id??0)<=e||r===10)return{messages:t,hasOlder:!0}}}async#v(e,t){let{rest:n,person:r}=this.#e,i=(await n.getHistory(this.#t,{limit:e,...t!==void 0&&{before_id:t}})).map(e=>at(e,this.#t,r())).reverse();for(let e of i)this.#y(e);return i}#y(e){e.client_ref!==null&&(this.dropPending(e.client_ref),this.#m(e))}#b(e){return St(e.filter(({id:e})=>!this.#e.recalled.has(e)).map(e=>this.#x(e)),this.#u)}#x(e){let{forms:t,person:n}=this.#e;return ot(e,t.get(e.id),n())}#S(){let e=this.#i.length===0?this.#r:[...this.#r,...this.#i];this.view.update({items:e,hasOlder:this.#o,isLoading:this.#c>0,error:this.#s})}},Dt=1e4,Ot=class{#e;#t;#n=new Map;#r=new Map;#i=Promise.resolve();constructor(e,t){this.#e=e,this.#t=t}send(e,t){let{platform:n,person:r}=this.#e,i=n.uuid(),a=ct(t,{ref:i,peer:e,me:r(),now:n.now()});return this.#a({peer:e,request:{...t,receiver_id:e,client_ref:i,idempotency_key:i},shown:a,isFailed:!1})}async retry(e){let n=this.#n.get(e);if(n?.isFailed)return this.#a(n);throw new t(`It has not failed.`,{code:`UNKNOWN_MESSAGE`})}discard(e){let t=this.#n.get(e);t?.isFailed&&(this.#n.delete(e),this.#t(t.peer).dropPending(e))}noteShown(e){let t=e.client_ref??``,n=this.#n.get(t);n&&(n.seen=e),this.#n.delete(t),this.#r.get(t)?.(),this.#r.delete(t)}#a(e){let{activity:t}=this.#e;e.isFailed=!1,this.#n.set(e.request.client_ref,e),this.#t(e.peer).putPending({...e.shown,delivery:`sending`,error:null});let n=()=>this.#o(e),r=t.track(()=>this.#i.then(n,n));return this.#i=r,r}async#o(e){let{peer:n,request:r,shown:i}=e,a=this.#t(n);try{let e=at(await this.#e.rest.send(r),n,this.#e.person());return a.dropPending(r.client_ref),this.#n.delete(r.client_ref)&&(a.add(e),this.#s(r.client_ref,a)),e}catch(n){if(e.seen)return e.seen;throw n instanceof t&&(e.isFailed=!0,a.putPending({...i,delivery:`failed`,error:n})),n}}#s(e,t){let{platform:n,activity:r}=this.#e,i=r.begin(),a=n.after(Dt,()=>{this.#r.delete(e),t.refresh(),i()});this.#r.set(e,()=>{a(),i()})}},kt=class{#e;#t;#n=new Map;#r=new Map;#i=new Set;constructor(e,t){this.#e=e,this.#t=t}mark(e,t){t<=(this.#n.get(e)??0)||(this.#n.set(e,t),this.#a(e))}tellAll(){for(let e of this.#n.keys())this.#a(e)}async#a(e){if(this.#i.has(e))return;this.#i.add(e);let{activity:n,rest:r}=this.#e;await n.track(async()=>{try{for(let t=this.#o(e);t!==null;t=this.#o(e))await r.markRead(e,t),this.#r.set(e,t),this.#t(e)}catch(n){if(!(n instanceof t))throw n;n.isTemporary||this.#n.delete(e)}finally{this.#i.delete(e)}})}#o(e){let t=this.#n.get(e)??0;return t>(this.#r.get(e)??0)?t:null}},At=class{conversations;unreadCount;#e;#t;#n;#r=new Map;#i;#a;#o=!1;constructor(e){let{rest:t,platform:n,connection:r}=e;this.#e=e;let i=()=>e.me.get()??0;this.#t={rest:t,platform:n,activity:new rt,recalled:new Set,forms:new Map,person:i},this.#n=new yt(this.#t),this.#i=new Ot(this.#t,e=>this.#s(e)),this.#a=new kt(this.#t,()=>this.#p()),this.conversations=this.#n.view,this.unreadCount=this.#n.unread,r.onFresh(()=>this.#d()),r.onFrame(e=>this.#c(e)),r.state.subscribe(()=>this.#f())}history(e){return this.#s(e).view}open(e){let t=this.#s(e);this.#r.delete(e),this.#r.set(e,t),t.holders+=1,this.#o&&(t.holders===1?t.reload():t.load());let n=!0;return()=>{n&&(n=!1,--t.holders,t.holders===0&&t.trim(),this.#m())}}loadOlder(e){let t=this.#s(e);return t.isLoaded?t.loadOlder():t.load()}refresh(e){let t=this.#r.get(e);return t?.isLoaded?t.reload():Promise.resolve()}loadMoreConversations(){return this.#n.loadMore()}async send(e,t){return await this.#t.activity.track(()=>this.#e.me.load()),this.#i.send(e,t)}retry(e){return this.#i.retry(e)}discard(e){this.#i.discard(e)}async recall(e,t){await this.#t.activity.track(()=>this.#t.rest.recall(t)),this.#l(e,t),this.#n.doubt()}markRead(e,t){this.#a.mark(e,t)}settled(){return this.#t.activity.settled()}#s(e){let t=this.#r.get(e);return t||(t=new Et(this.#t,e,e=>this.#i.noteShown(e)),this.#r.set(e,t)),t}#c(e){switch(e.type){case`NEW_MESSAGE`:this.#r.get(e.data.conversation_id)?.take(e.data);break;case`MESSAGE_UPDATED`:this.#u(e.data);break;case`MESSAGE_RECALLED`:this.#l(e.data.conversation_id,e.data.id);break;case`CONVERSATION_READ`:this.#r.get(e.data.conversation_id)?.readUpTo(e.data.up_to_id);break;case`ALL_READ`:for(let t of this.#r.values())t.readUpTo(e.data.up_to_id),t.refresh()}this.#n.take(e)}#l(e,t){let{recalled:n}=this.#t;n.add(t),jt(n),this.#r.get(e)?.removeMessage(t)}#u(e){let{forms:t}=this.#t;e.version<=(t.get(e.id)?.version??0)||(t.delete(e.id),t.set(e.id,e),jt(t),this.#r.get(e.conversation_id)?.renew())}#d(){this.#o=!0,this.#n.reload();for(let e of this.#r.values())e.refresh()}#f(){let{status:e}=this.#e.connection.state.get();e===`open`&&this.#a.tellAll(),this.#o||e!==`waiting`&&e!==`offline`||this.#e.me.load().then(()=>!this.#o&&this.#d(),()=>{})}#p(){this.#e.connection.state.get().status!==`open`&&this.#n.doubt()}#m(){let e=[...this.#r.values()].filter(({holders:e,isLoaded:t})=>!e&&t);for(let t of e.slice(0,-20))t.unload()}};function jt(e){for(let t of e.keys())e.size>1e3&&e.delete(t)}function Mt(e){return new At(e)}function Nt(e){let{platform:t,tokens:n,me:r,rest:a,connection:o}=nt(e);return{me:r,rest:a,connection:o,store:Mt({rest:a,connection:o,platform:t,me:r}),start(){n.reset(),o.start()},stop:()=>o.stop(),openAction:i({platform:t,rest:a})}}var Pt=globalThis,Ft=Pt.ShadowRoot&&(Pt.ShadyCSS===void 0||Pt.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,It=Symbol(),Lt=new WeakMap,Rt=class{constructor(e,t,n){if(this._$cssResult$=!0,n!==It)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(Ft&&e===void 0){let n=t!==void 0&&t.length===1;n&&(e=Lt.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),n&&Lt.set(t,e))}return e}toString(){return this.cssText}},zt=e=>new Rt(typeof e==`string`?e:e+``,void 0,It),_=(e,...t)=>new Rt(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,It),Bt=(e,t)=>{if(Ft)e.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let n of t){let t=document.createElement(`style`),r=Pt.litNonce;r!==void 0&&t.setAttribute(`nonce`,r),t.textContent=n.cssText,e.appendChild(t)}},Vt=Ft?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return zt(t)})(e):e,{is:Ht,defineProperty:Ut,getOwnPropertyDescriptor:Wt,getOwnPropertyNames:Gt,getOwnPropertySymbols:Kt,getPrototypeOf:qt}=Object,Jt=globalThis,Yt=Jt.trustedTypes,Xt=Yt?Yt.emptyScript:``,Zt=Jt.reactiveElementPolyfillSupport,v=(e,t)=>e,Qt={toAttribute(e,t){switch(t){case Boolean:e=e?Xt:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},$t=(e,t)=>!Ht(e,t),en={attribute:!0,type:String,converter:Qt,reflect:!1,useDefault:!1,hasChanged:$t};Symbol.metadata??=Symbol(`metadata`),Jt.litPropertyMetadata??=new WeakMap;var y=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=en){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&Ut(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=Wt(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??en}static _$Ei(){if(this.hasOwnProperty(v(`elementProperties`)))return;let e=qt(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(v(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(v(`properties`))){let e=this.properties,t=[...Gt(e),...Kt(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(Vt(e))}else e!==void 0&&t.push(Vt(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return Bt(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?Qt:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?Qt:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??$t)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};y.elementStyles=[],y.shadowRootOptions={mode:`open`},y[v(`elementProperties`)]=new Map,y[v(`finalized`)]=new Map,Zt?.({ReactiveElement:y}),(Jt.reactiveElementVersions??=[]).push(`2.1.2`);var tn=globalThis,nn=e=>e,rn=tn.trustedTypes,an=rn?rn.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,on=`$lit$`,b=`lit$${Math.random().toFixed(9).slice(2)}$`,sn=`?`+b,cn=`<${sn}>`,x=document,ln=()=>x.createComment(``),S=e=>e===null||typeof e!=`object`&&typeof e!=`function`,un=Array.isArray,dn=e=>un(e)||typeof e?.[Symbol.iterator]==`function`,fn=`[ 	
\f\r]`,pn=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,mn=/-->/g,hn=/>/g,C=RegExp(`>|${fn}(?:([^\\s"'>=/]+)(${fn}*=${fn}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),gn=/'/g,_n=/"/g,vn=/^(?:script|style|textarea|title)$/i,yn=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),w=yn(1),T=yn(2),E=Symbol.for(`lit-noChange`),D=Symbol.for(`lit-nothing`),bn=new WeakMap,O=x.createTreeWalker(x,129);function xn(e,t){if(!un(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return an===void 0?t:an.createHTML(t)}var Sn=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=pn;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===pn?c[1]===`!--`?o=mn:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=C):(vn.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=C):o=hn:o===C?c[0]===`>`?(o=i??pn,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?C:c[3]===`"`?_n:gn):o===_n||o===gn?o=C:o===mn||o===hn?o=pn:(o=C,i=void 0);let d=o===C&&e[t+1].startsWith(`/>`)?` `:``;a+=o===pn?n+cn:l>=0?(r.push(s),n.slice(0,l)+on+n.slice(l)+b+d):n+b+(l===-2?t:d)}return[xn(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Cn=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Sn(t,n);if(this.el=e.createElement(l,r),O.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=O.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(on)){let t=u[o++],n=i.getAttribute(e).split(b),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Dn:r[1]===`?`?On:r[1]===`@`?kn:En}),i.removeAttribute(e)}else e.startsWith(b)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(vn.test(i.tagName)){let e=i.textContent.split(b),t=e.length-1;if(t>0){i.textContent=rn?rn.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],ln()),O.nextNode(),c.push({type:2,index:++a});i.append(e[t],ln())}}}else if(i.nodeType===8){if(i.data===sn)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(b,e+1))!==-1;)c.push({type:7,index:a}),e+=b.length-1}}a++}}static createElement(e,t){let n=x.createElement(`template`);return n.innerHTML=e,n}};function k(e,t,n=e,r){if(t===E)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=S(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=k(e,i._$AS(e,t.values),i,r)),t}var wn=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??x).importNode(t,!0);O.currentNode=r;let i=O.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Tn(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new An(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=O.nextNode(),a++)}return O.currentNode=x,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Tn=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=D,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=k(this,e,t),S(e)?e===D||e==null||e===``?(this._$AH!==D&&this._$AR(),this._$AH=D):e!==this._$AH&&e!==E&&this._(e):e._$litType$===void 0?e.nodeType===void 0?dn(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==D&&S(this._$AH)?this._$AA.nextSibling.data=e:this.T(x.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Cn.createElement(xn(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new wn(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=bn.get(e.strings);return t===void 0&&bn.set(e.strings,t=new Cn(e)),t}k(t){un(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(ln()),this.O(ln()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=nn(e).nextSibling;nn(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},En=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=D,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=D}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=k(this,e,t,0),a=!S(e)||e!==this._$AH&&e!==E,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=k(this,r[n+o],t,o),s===E&&(s=this._$AH[o]),a||=!S(s)||s!==this._$AH[o],s===D?e=D:e!==D&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===D?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Dn=class extends En{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===D?void 0:e}},On=class extends En{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==D)}},kn=class extends En{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=k(this,e,t,0)??D)===E)return;let n=this._$AH,r=e===D&&n!==D||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==D&&(n===D||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},An=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){k(this,e)}},jn={M:on,P:b,A:sn,C:1,L:Sn,R:wn,D:dn,V:k,I:Tn,H:En,N:On,U:kn,B:Dn,F:An},Mn=tn.litHtmlPolyfillSupport;Mn?.(Cn,Tn),(tn.litHtmlVersions??=[]).push(`3.3.3`);var Nn=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Tn(t.insertBefore(ln(),e),e,void 0,n??{})}return i._$AI(e),i},Pn=globalThis,A=class extends y{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Nn(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return E}};A._$litElement$=!0,A.finalized=!0,Pn.litElementHydrateSupport?.({LitElement:A});var Fn=Pn.litElementPolyfillSupport;Fn?.({LitElement:A}),(Pn.litElementVersions??=[]).push(`4.2.2`);var j=e=>(t,n)=>{n===void 0?customElements.define(e,t):n.addInitializer(()=>{customElements.define(e,t)})},In={attribute:!0,type:String,converter:Qt,reflect:!1,hasChanged:$t},Ln=(e=In,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function M(e){return(t,n)=>typeof n==`object`?Ln(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}function N(e){return M({...e,state:!0,attribute:!1})}var Rn=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function P(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return Rn(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return Rn(n,r,{get(){return a(this)}})}}var zn={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Bn=e=>(...t)=>({_$litDirective$:e,values:t}),Vn=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:Hn}=jn,Un=e=>e,Wn=()=>document.createComment(``),F=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new Hn(r.insertBefore(Wn(),i),r.insertBefore(Wn(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=Un(e).nextSibling;Un(r).insertBefore(e,i),e=t}}}return n},I=(e,t,n=e)=>(e._$AI(t,n),e),Gn={},Kn=(e,t=Gn)=>e._$AH=t,qn=e=>e._$AH,Jn=e=>{e._$AR(),e._$AA.remove()},Yn=Bn(class extends Vn{constructor(){super(...arguments),this.key=D}render(e,t){return this.key=e,t}update(e,[t,n]){return t!==this.key&&(Kn(e),this.key=t),n}}),Xn=(e,t)=>({one:e,other:t}),Zn={inbox:`Inbox`,chats:`Chats`,apps:`Apps`,back:`Back to the list`,close:`Close`,cancel:`Cancel`,retry:`Try again`,settings:`Settings`,theme:`Appearance`,themeAuto:`As the system`,themeLight:`Light`,themeDark:`Dark`,language:`Language`,conversations:`Conversations`,conversationsEmpty:`No conversations yet`,conversationsEmptyHint:`Look for a colleague above and say hello.`,conversationsFailed:`The conversations could not be loaded.`,unread:Xn(`{n} unread message`,`{n} unread messages`),system:`System notices`,you:`You: {text}`,picture:`Picture`,video:`Video`,file:`File`,notice:`Notice`,draft:`Draft:`,search:`Search people and conversations`,searchShort:`Search`,clearSearch:`Clear the search`,people:`People`,searching:`Searching…`,nothingFound:`Nothing found for “{q}”`,nothingFoundHint:`Try a part of a name, or a mobile number.`,searchFailed:`People could not be searched.`,found:Xn(`{n} result`,`{n} results`),appsEmpty:`No apps yet`,appsEmptyHint:`Apps in which you have an account are shown here.`,appsFailed:`The apps could not be loaded.`,openApp:`Open {name}`,signOnFailed:`Could not sign on to {name}.`,chooseConversation:`Choose a conversation`,chooseConversationHint:`Or look for a colleague and begin one.`,messages:`Messages with {name}`,historyEmpty:`No messages yet`,historyEmptyHint:`Write the first one to {name}.`,historyEmptyApp:`What {name} has to say will be shown here.`,historyFailed:`The messages could not be loaded.`,olderFailed:`Older messages could not be loaded.`,loading:`Loading…`,beginning:`This is where it began.`,newMessages:`New messages`,jumpToNewest:`Go to the newest message`,person:`Person`,app:`App`,cannotReply:`This conversation is for notices. It takes no replies.`,newMessageFrom:`New message from {name}: {text}`,newMessagesArrived:Xn(`{n} new message`,`{n} new messages`),youAt:`You, {time}`,nameAt:`{name}, {time}`,sending:`Sending`,sent:`Sent`,read:`Read`,readAt:`Read {time}`,notSent:`Not sent`,discard:`Discard`,messageActions:`Actions for this message`,copy:`Copy text`,copied:`Copied`,copyFailed:`Could not be copied.`,recall:`Take back`,recallTitle:`Take this message back?`,recallText:`It disappears for both of you, on every device.`,recallFailed:`The message could not be taken back.`,recallTooLate:`It is too late to take this message back.`,openPicture:`Look at the picture {name}`,pictureGone:`The picture could not be loaded.`,openFile:`Open the file`,fileFailed:`The file could not be opened.`,download:`Open the original`,openButton:`Open`,cardPending:`Pending`,cardDone:`Done`,cardRejected:`Rejected`,cardClosed:`Closed`,actionFailed:`The page could not be opened.`,yes:`Yes`,no:`No`,write:`Write to {name}`,send:`Send`,attach:`Attach files`,removeFile:`Remove {name}`,attachments:`Attached files`,dropHere:`Drop files here to send them to {name}`,tooLong:`This is too long: {size} of at most {limit}.`,uploading:`Uploading {name}`,uploadProgress:`{percent} % of {name} uploaded`,uploadFailed:`{name} could not be uploaded.`,cancelUpload:`Do not send {name}`,emptyFile:`{name} is empty.`,connecting:`Connecting…`,offline:`No network. What you see may be old; it catches up as soon as there is one.`,waiting:Xn(`The connection was lost. Next try in {n} second.`,`The connection was lost. Next try in {n} seconds.`),reconnecting:`The connection was lost. Trying again…`,tryNow:`Try now`,backOnline:`Connected again. Everything is up to date.`,stoppedSignedOut:`You are signed out.`,stoppedDisabled:`Your account has been disabled. Ask your administrator.`,stoppedReplaced:`The inbox is open in another place, which took over the connection.`,stoppedFlooding:`The server closed the connection: this page sent too much.`,stoppedRefused:`The server refuses the connection.`,stoppedClosed:`The connection is closed.`,connectAgain:`Connect again`,errorNoAnswer:`The server did not answer. Check the network.`,errorSignedOut:`You are signed out.`,errorNotAllowed:`You are not allowed to do this.`,errorNotFound:`It is not there any more.`,errorTooLarge:`It is too large.`,errorTooMany:`Too much in a short time. Wait a moment.`,errorServer:`The server has a problem. Tell your administrator this number: {id}`,errorOther:`{detail} (number {id})`,today:`Today`,yesterday:`Yesterday`,pageTitle:`Carillon`,signIn:`Sign in`,signOut:`Sign out`,signInDemo:`Choose who you are`,signInDemoHint:`A demonstration: this server lets its example people in without a password.`,signInDemoNobody:`There are no example people yet. Run “carillon demo --open”, then reload this page.`,signInToken:`Token`,signInTokenHint:`For trying out: paste a person’s token, such as “carillon token 31001” prints. It is kept in this tab only. People come in through their portal.`,signInInstead:`Sign in with a token`,signInFailed:`You could not be signed in.`,signInEnded:`The token has ended or is not accepted. Sign in again.`,configFailed:`The page could not be started.`},Qn=e=>({one:e,other:e}),L={zh:{words:{inbox:`收件箱`,chats:`消息`,apps:`应用`,back:`返回列表`,close:`关闭`,cancel:`取消`,retry:`重试`,settings:`设置`,theme:`外观`,themeAuto:`跟随系统`,themeLight:`浅色`,themeDark:`深色`,language:`语言`,conversations:`会话`,conversationsEmpty:`还没有会话`,conversationsEmptyHint:`在上方搜索同事，打个招呼吧。`,conversationsFailed:`会话列表加载失败。`,unread:Qn(`{n} 条未读消息`),system:`系统通知`,you:`我：{text}`,picture:`图片`,video:`视频`,file:`文件`,notice:`通知`,draft:`草稿：`,search:`搜索联系人和会话`,searchShort:`搜索`,clearSearch:`清除搜索`,people:`联系人`,searching:`搜索中…`,nothingFound:`没有找到“{q}”`,nothingFoundHint:`试试姓名的一部分，或手机号。`,searchFailed:`联系人搜索失败。`,found:Qn(`{n} 个结果`),appsEmpty:`还没有应用`,appsEmptyHint:`您有账号的应用会显示在这里。`,appsFailed:`应用列表加载失败。`,openApp:`打开{name}`,signOnFailed:`无法登录{name}。`,chooseConversation:`选择一个会话`,chooseConversationHint:`或者搜索同事，开始新的会话。`,messages:`与{name}的消息`,historyEmpty:`还没有消息`,historyEmptyHint:`给{name}发第一条消息吧。`,historyEmptyApp:`{name}的通知会显示在这里。`,historyFailed:`消息加载失败。`,olderFailed:`更早的消息加载失败。`,loading:`加载中…`,beginning:`没有更早的消息了`,newMessages:`以下是新消息`,jumpToNewest:`跳到最新消息`,person:`联系人`,app:`应用`,cannotReply:`这里只接收通知，不能回复。`,newMessageFrom:`{name}发来新消息：{text}`,newMessagesArrived:Qn(`{n} 条新消息`),youAt:`我，{time}`,nameAt:`{name}，{time}`,sending:`发送中`,sent:`已发送`,read:`已读`,readAt:`{time}已读`,notSent:`未发送`,discard:`删除`,messageActions:`消息操作`,copy:`复制文字`,copied:`已复制`,copyFailed:`复制失败。`,recall:`撤回`,recallTitle:`撤回这条消息？`,recallText:`双方所有设备上都不再显示这条消息。`,recallFailed:`消息撤回失败。`,recallTooLate:`已超过可撤回的时间。`,openPicture:`查看图片{name}`,pictureGone:`图片加载失败。`,openFile:`打开文件`,fileFailed:`文件打开失败。`,download:`打开原图`,openButton:`打开`,cardPending:`待处理`,cardDone:`已处理`,cardRejected:`已拒绝`,cardClosed:`已关闭`,actionFailed:`页面打开失败。`,yes:`是`,no:`否`,write:`发消息给{name}`,send:`发送`,attach:`添加文件`,removeFile:`移除{name}`,attachments:`待发送的文件`,dropHere:`松开即可把文件发给{name}`,tooLong:`内容太长：{size}，上限 {limit}。`,uploading:`正在上传{name}`,uploadProgress:`{name}已上传 {percent}%`,uploadFailed:`{name}上传失败。`,cancelUpload:`不发送{name}`,emptyFile:`{name}是空文件。`,connecting:`连接中…`,offline:`没有网络。当前内容可能不是最新，联网后会自动补上。`,waiting:Qn(`连接已断开，{n} 秒后重试。`),reconnecting:`连接已断开，正在重试…`,tryNow:`立即重试`,backOnline:`已重新连接，内容已是最新。`,stoppedSignedOut:`您已退出登录。`,stoppedDisabled:`您的账号已停用，请联系管理员。`,stoppedReplaced:`收件箱已在别处打开，连接已转到那里。`,stoppedFlooding:`此页面发送过于频繁，服务器已断开连接。`,stoppedRefused:`服务器拒绝了连接。`,stoppedClosed:`连接已关闭。`,connectAgain:`重新连接`,errorNoAnswer:`服务器没有响应，请检查网络。`,errorSignedOut:`您已退出登录。`,errorNotAllowed:`您没有权限进行此操作。`,errorNotFound:`内容已不存在。`,errorTooLarge:`内容过大。`,errorTooMany:`操作过于频繁，请稍候。`,errorServer:`服务器出现问题，请把此编号告诉管理员：{id}`,errorOther:`{detail}（编号 {id}）`,today:`今天`,yesterday:`昨天`,pageTitle:`Carillon`,signIn:`登录`,signOut:`退出登录`,signInDemo:`选择您的身份`,signInDemoHint:`演示环境：此服务器允许示例人员免密登录。`,signInDemoNobody:`还没有示例人员。请运行“carillon demo --open”，然后刷新页面。`,signInToken:`令牌`,signInTokenHint:`仅供试用：粘贴某人的令牌，例如“carillon token 31001”打印的内容，只保存在此标签页。正式用户从门户进入。`,signInInstead:`用令牌登录`,signInFailed:`登录失败。`,signInEnded:`令牌已过期或不被接受，请重新登录。`,configFailed:`页面启动失败。`},name:`中文`,locale:`zh-CN`},en:{words:Zn,name:`English`,locale:`en-GB`}};function $n(e){for(let t of e){let e=t.toLowerCase().split(`-`)[0];if(e===`zh`||e===`en`)return e}return`en`}function R(e,t){return e.replace(/\{(\w+)\}/g,(e,n)=>String(t[n]??e))}function er(e,t){return R(t===1?e.one:e.other,{n:t})}var tr=3;function nr(e){if(!e.startsWith(`{`))return null;try{let t=JSON.parse(e);return ar(t)?rr(t,1):null}catch{return null}}function rr(e,t){return Object.entries(e).filter(([,e])=>e!==null&&e!==``).map(([e,n])=>({label:e,value:ir(n,t)}))}function ir(e,t){return typeof e==`boolean`?{kind:`flag`,is:e}:typeof e!=`object`||!e?{kind:`text`,text:String(e)}:t>=tr?{kind:`text`,text:JSON.stringify(e)}:Array.isArray(e)?{kind:`list`,values:e.map(e=>ir(e,t+1))}:{kind:`items`,items:rr(e,t+1)}}function ar(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}var or=/https?:\/\/[^\s<>"'，。；！？、（）《》“”]*[^\s<>"'，。；！？、（）《》“”.,;:!?)\]]/gi;function sr(e){let t=[],n=0;for(let r of e.matchAll(or))r.index>n&&t.push({text:e.slice(n,r.index),href:null}),t.push({text:r[0],href:r[0]}),n=r.index+r[0].length;return n<e.length&&t.push({text:e.slice(n),href:null}),t}function cr(e){return e.length<=32&&/^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|️|‍\p{Extended_Pictographic})*\s?){1,3}$/u.test(e)}function lr(e,t){switch(e.last_message_type){case`IMAGE`:return`[${t.picture}]`;case`VIDEO`:return`[${t.video}]`;case`FILE`:return`[${t.file}]`;case`USER_NOTIFICATION`:return`[${t.notice}]`;default:return e.user_id<=0?dr(e.last_message):e.last_message}}var ur=/"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)"?|(-?[\d.]+))/g;function dr(e){if(!e.startsWith(`{`))return e;let t=[...e.matchAll(ur)].map(([,e=``,t,n])=>`${fr(e)} ${fr(t??n??``)}`);return t.length>0?t.join(` · `):e}function fr(e){try{return JSON.parse(`"${e}"`)}catch{return e}}function pr(e,t){return R(t.newMessageFrom,{name:mr(e,t),text:lr(e,t).slice(0,120)})}function mr(e,t){return e.user_id===0?t.system:e.full_name||e.username}var hr=700,gr=class{#e;#t;#n;#r;#i;#a;constructor(e,t){this.host=e,this.words=t,this.text=``,this.#e=null,this.#t=null,this.#n=[],this.#r=0,this.#i=0,this.#a=null,e.addController(this)}follow(e){this.#e?.(),this.#a=e,this.#t=null,this.#e=e.conversations.subscribe(()=>this.#o(e.conversations.get().items))}hostConnected(){this.#a&&!this.#e&&this.follow(this.#a)}hostDisconnected(){window.clearTimeout(this.#i),this.#e?.(),this.#e=null}#o(e){let t=this.#t;if(this.#t=e.length>0||t?new Map(e.map(e=>[e.user_id,e])):null,t){for(let n of e){let e=n.unread_count-(t.get(n.user_id)?.unread_count??0);e<=0||(this.#r+=e,this.#n.push(n))}this.#r>0&&!this.#i&&(this.#i=window.setTimeout(()=>this.#s(),hr))}}#s(){let e=this.#n.at(-1),t=this.words();e&&(this.text=this.#r===1?pr(e,t):er(t.newMessagesArrived,this.#r)),this.#n=[],this.#r=0,this.#i=0,this.host.requestUpdate()}};function z(e,n){if(!(e instanceof t))return e instanceof Error?e.message:String(e);let r=e.requestId??`–`;return e.code===`NO_ANSWER`?n.errorNoAnswer:e.code===`SIGNED_OUT`||e.status===401?n.errorSignedOut:e.code===`RECALL_TOO_LATE`?n.recallTooLate:e.status===403?n.errorNotAllowed:e.status===404?n.errorNotFound:e.status===413?n.errorTooLarge:e.status===429?n.errorTooMany:e.status>=500?R(n.errorServer,{id:r}):e.requestId===null?e.message:R(n.errorOther,{detail:e.message,id:r})}var _r=864e5,vr=class{#e;#t;#n;#r;#i;#a;constructor(e,t,n=Date.now){this.words=t,this.now=n;let r=t=>new Intl.DateTimeFormat(e,t);this.#e=r({hour:`2-digit`,minute:`2-digit`,hourCycle:`h23`}),this.#t=r({weekday:`long`}),this.#n=r({weekday:`long`,day:`numeric`,month:`long`}),this.#r=r({day:`numeric`,month:`long`,year:`numeric`}),this.#i=r({day:`2-digit`,month:`2-digit`,year:`2-digit`}),this.#a=r({dateStyle:`long`,timeStyle:`short`})}time(e){return this.#e.format(e)}full(e){return this.#a.format(e)}short(e){let t=yr(this.now())-yr(e);return t<_r/2?this.time(e):t<1.5*_r?this.words.yesterday:t<6.5*_r?this.#t.format(e):this.#i.format(e)}day(e){let t=yr(this.now())-yr(e);return Math.abs(t)<_r/2?this.words.today:t>0&&t<1.5*_r?this.words.yesterday:(new Date(e).getFullYear()===new Date(this.now()).getFullYear()?this.#n:this.#r).format(e)}};function yr(e){return new Date(e).setHours(0,0,0,0)}var br=6e4,xr=class{#e=0;constructor(e){this.host=e,e.addController(this)}hostConnected(){document.addEventListener(`visibilitychange`,this.#t),this.#e=window.setInterval(this.#t,br)}hostDisconnected(){document.removeEventListener(`visibilitychange`,this.#t),window.clearInterval(this.#e)}#t=()=>{document.visibilityState===`visible`&&this.host.requestUpdate()}},Sr=class{#e=[];#t=[];#n=!1;constructor(e,t=()=>this.host.requestUpdate()){this.host=e,this.onChange=t,e.addController(this)}set(e){this.#i(),this.#t=e,this.#n&&this.#r()}hostConnected(){this.#n=!0,this.#r()}hostDisconnected(){this.#n=!1,this.#i()}#r(){this.#e=this.#t.map(e=>e.subscribe(this.onChange))}#i(){for(let e of this.#e)e();this.#e=[]}},Cr=[`B`,`KB`,`MB`,`GB`];function wr(e){let t=0,n=e;for(;n>=1e3&&t<Cr.length-1;t++)n/=1e3;return`${t===0||n>=10?Math.round(n):n.toFixed(1)} ${Cr[t]??``}`}function Tr(e){return/\.([a-z0-9]{1,4})$/i.exec(e)?.[1]?.toUpperCase()??``}function Er(e,t){let n=new URL(e,`http://relative`).searchParams,r=Number(n.get(`expires`)??n.get(`Expires`)??NaN)*1e3||Dr(n);return r!==null&&r-6e4<t}function Dr(e){let[,t,n,r,i,a,o]=/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(e.get(`X-Amz-Date`)??``)??[],s=Number(e.get(`X-Amz-Expires`));return t===void 0||!s?null:Date.parse(`${t}-${n}-${r}T${i}:${a}:${o}Z`)+s*1e3}var Or=3e5;function kr(e){return e.client_ref===null?String(e.id):`ref:${e.client_ref}`}function Ar({messages:e,uploads:t,unreadFrom:n,before:r}){let i=new Map(r.map(e=>[e.key,e]));return Mr(e,t,n).map(e=>{let t=i.get(e.key);return t&&jr(t,e)?t:e})}function jr(e,t){return Object.keys(e).every(n=>e[n]===t[n])}function Mr(e,t,n){let r=[...e.map(Fr),...t.map(Ir)],i=NaN;return r.forEach((e,t)=>{let a=r[t-1],o=yr(e.at);e.beginsDay=o!==i,i=o,e.beginsUnread=e.message!==null&&e.message.id===n,e.isFirstOfGroup=a===void 0||e.beginsDay||e.beginsUnread||!Nr(a,e),a&&(a.isLastOfGroup=e.isFirstOfGroup)}),r}function Nr(e,t){return e.isMine===t.isMine&&t.at-e.at<Or&&!Pr(e)&&!Pr(t)}function Pr(e){return e.message!==null&&(e.message.type===`NOTIFICATION`||e.message.content_type===`USER_NOTIFICATION`)}function Fr(e){return{...Lr,key:kr(e),message:e,at:e.created_at_ms,isMine:e.is_mine}}function Ir(e){return{...Lr,key:`upload:${e.ref}`,upload:e,at:e.at,isMine:!0}}var Lr={message:null,upload:null,beginsDay:!1,beginsUnread:!1,isFirstOfGroup:!0,isLastOfGroup:!0};function Rr(e){return e.find(e=>!e.is_mine&&!e.is_read)??null}var zr=/^(image\/(png|jpe?g|gif|webp|avif|bmp)|video\/(mp4|webm|quicktime))$/,Br=class{#e;#t;#n;constructor(e){this.client=e,this.all=new h([]),this.#e=new Map,this.#t=new Map,this.#n=1}add(e,t){let n=zr.test(t.type)?URL.createObjectURL(t):null,r={ref:String(this.#n++),peer:e,file:t,preview:n,progress:0,error:null,at:Date.now()};this.all.set([...this.all.get(),r]),this.#r(r)}retry(e){let t=this.all.get().find(t=>t.ref===e);t&&(this.#i(e,{error:null,progress:0}),this.#r(t))}discard(e){this.#e.get(e)?.abort();let t=this.all.get().find(t=>t.ref===e);t?.preview&&URL.revokeObjectURL(t.preview),this.#a(e)}find(e){if(this.#t.size===0)return null;for(let[t,n]of this.#t)if(e.includes(t))return n;return null}clear(){for(let e of this.#e.values())e.abort();for(let e of[...this.all.get(),...this.#t.values()])e.preview&&URL.revokeObjectURL(e.preview);this.#t.clear(),this.all.set([])}async#r(e){let{ref:t,peer:n,file:r}=e,i=new AbortController;this.#e.set(t,i);try{let{key:a,content_type:o}=await this.client.rest.upload(r,{onProgress:e=>this.#i(t,{progress:e}),signal:i.signal});this.#t.set(a,e),this.#a(t),this.client.store.send(n,{content:a,content_type:o}).catch(()=>void 0)}catch(e){i.signal.aborted||this.#i(t,{error:e})}finally{this.#e.delete(t)}}#i(e,t){this.all.set(this.all.get().map(n=>n.ref===e?{...n,...t}:n))}#a(e){this.all.set(this.all.get().filter(t=>t.ref!==e))}},Vr={size:null,hasTried:!1,isGone:!1},Hr=class{#e;#t;constructor(e){this.client=e,this.drafts=new Map,this.attachments=new Map,this.people=new Map,this.pictures=new h(new Map),this.#e=new Map,this.#t=null,this.uploads=new Br(e)}loadApps(e=!1){return(e||this.#t===null)&&(this.#t=this.client.rest.listLaunchpadApps(),this.#t.catch(()=>this.#t=null)),this.#t}addressOf(e){try{return this.client.rest.resolve(this.#e.get(e.id)??e.content)}catch{return``}}isOld(e){return Er(this.addressOf(e),Date.now())}async refresh(e){let t=await this.client.rest.request(`GET`,`/messages/${e.id}`);return this.#e.set(e.id,t.content),this.client.rest.resolve(t.content)}pictureOf(e){return this.pictures.get().get(kr(e))??Vr}notePicture(e,{naturalWidth:t,naturalHeight:n}){let{size:r}=this.pictureOf(e);(r?.[0]!==t||r[1]!==n)&&this.#n(e,{size:[t,n],hasTried:!1})}renewPicture(e,t=!1){if(e.id===0)return;if(this.pictureOf(e).hasTried&&!t){this.#n(e,{isGone:!0});return}let n=this.addressOf(e);this.#n(e,{hasTried:!0}),this.refresh(e).then(r=>this.#n(e,{isGone:r===n&&!t}),()=>this.#n(e,{isGone:!0}))}#n(e,t){this.pictures.set(new Map(this.pictures.get()).set(kr(e),{...this.pictureOf(e),...t}))}end(){this.uploads.clear()}};async function Ur(e){let t=window.open(`about:blank`,`_blank`);t&&(t.opener=null);try{let n=await e();t?t.location.replace(n):window.location.assign(n)}catch(e){throw t?.close(),e}}var Wr=_`
  --_accent: var(--carillon-accent, #2459d6);
  --_on-accent: var(--carillon-on-accent, #ffffff);
  --_ground: var(--carillon-ground, #ffffff);
  --_side: var(--carillon-side, #f8f8fa);
  --_canvas: var(--carillon-canvas, #f1f2f6);
  --_bubble: var(--carillon-bubble, #ffffff);
  --_bubble-mine: var(--carillon-bubble-mine, #d9e6ff);
  --_text: var(--carillon-text, #191c24);
  --_dim: var(--carillon-dim, #5c6373);
  --_dim-mine: var(--carillon-dim-mine, #45567f);
  --_line: var(--carillon-line, #e4e6ec);
  --_hover: #191c240d;
  --_chosen: color-mix(in srgb, var(--_accent) 13%, var(--_side));
  --_bad: var(--carillon-bad, #b3261e);
  --_bad-ground: #fdecea;
  --_warn: #7a4d00;
  --_warn-ground: #fff4dc;
  --_good: #14653a;
  --_good-ground: #e4f5ea;
  --_shadow: 0 1px 1.5px #1219291f;
  --_shadow-high: 0 8px 28px #1219293d, 0 1px 3px #12192929;
  --_veil: #12192985;
`,Gr=_`
  --_accent: var(--carillon-accent, #86adff);
  --_on-accent: var(--carillon-on-accent, #0c1a3a);
  --_ground: var(--carillon-ground, #14171d);
  --_side: var(--carillon-side, #171b22);
  --_canvas: var(--carillon-canvas, #0e1116);
  --_bubble: var(--carillon-bubble, #1e232c);
  --_bubble-mine: var(--carillon-bubble-mine, #21406f);
  --_text: var(--carillon-text, #e8eaf0);
  --_dim: var(--carillon-dim, #9aa2b2);
  --_dim-mine: var(--carillon-dim-mine, #b3c6ea);
  --_line: var(--carillon-line, #272d38);
  --_hover: #ffffff0f;
  --_chosen: color-mix(in srgb, var(--_accent) 18%, var(--_side));
  --_bad: var(--carillon-bad, #ff9a91);
  --_bad-ground: #3b1b1a;
  --_warn: #f3c873;
  --_warn-ground: #332811;
  --_good: #7ddba2;
  --_good-ground: #14301f;
  --_shadow: 0 1px 2px #00000066;
  --_shadow-high: 0 10px 32px #000000a6, 0 0 0 1px #ffffff14;
  --_veil: #000000a6;
`,Kr=_`
  :host {
    ${Wr}
    --_radius: var(--carillon-radius, 18px);
    --_font: var(--carillon-font, system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans", sans-serif);
    color-scheme: light;
  }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme="light"])) {
      ${Gr}
      color-scheme: dark;
    }
  }
  :host([theme="dark"]) {
    ${Gr}
    color-scheme: dark;
  }
`,B=_`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  :host {
    font: 400 0.9375rem/1.45 var(--_font);
    color: var(--_text);
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }
  button {
    border: 0;
    background: none;
    padding: 0;
    cursor: pointer;
    text-align: start;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    cursor: default;
  }
  a {
    color: var(--_accent);
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .icon {
    inline-size: 1.375rem;
    block-size: 1.375rem;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
    display: block;
  }
  .icon .solid {
    fill: currentColor;
    stroke: none;
  }
  :host(:dir(rtl)) .icon.mirror {
    transform: scaleX(-1);
  }
  .unseen {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .round {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    flex: none;
    color: var(--_dim);
    transition: background-color 0.12s;
  }
  .round:hover {
    background: var(--_hover);
    color: var(--_text);
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4rem;
    min-block-size: 2.25rem;
    padding: 0.35rem 1rem;
    border-radius: 999px;
    font-weight: 600;
    font-size: 0.875rem;
    color: var(--_accent);
    background: color-mix(in srgb, var(--_accent) 11%, transparent);
    transition: background-color 0.12s;
  }
  .button:hover {
    background: color-mix(in srgb, var(--_accent) 20%, transparent);
  }
  .button.main {
    color: var(--_on-accent);
    background: var(--_accent);
  }
  .button.main:hover {
    background: color-mix(in srgb, var(--_accent) 88%, var(--_text));
  }
  .button:disabled {
    opacity: 0.5;
  }
  .button.grave {
    color: var(--_ground);
    background: var(--_bad);
  }
  .avatar {
    inline-size: 2.875rem;
    block-size: 2.875rem;
    border-radius: 50%;
    flex: none;
    display: grid;
    place-items: center;
    color: #fff;
    font-weight: 600;
    font-size: 1rem;
    letter-spacing: 0.01em;
    overflow: hidden;
    user-select: none;
  }
  .avatar.app {
    border-radius: 30%;
  }
  .avatar.small {
    inline-size: 2.25rem;
    block-size: 2.25rem;
    font-size: 0.8rem;
  }
  ${zt([`#3d63d8`,`#0d7a74`,`#b0481a`,`#7d4bc9`,`#2d7a38`,`#b8336d`,`#1673a6`,`#8a6212`,`#5b63a8`,`#a83c3c`].map((e,t)=>`.colour-${t} { background: ${e}; }`).join(`
`))}
  .blank {
    display: grid;
    justify-items: center;
    align-content: center;
    gap: 0.35rem;
    padding: 2rem 1.5rem;
    text-align: center;
    color: var(--_dim);
    overflow-wrap: anywhere;
  }
  .blank strong {
    color: var(--_text);
    font-weight: 600;
    font-size: 1.0625rem;
  }
  .blank .emblem {
    inline-size: 4rem;
    block-size: 4rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    margin-block-end: 0.6rem;
    color: var(--_accent);
    background: color-mix(in srgb, var(--_accent) 10%, transparent);
  }
  .blank .emblem .icon {
    inline-size: 1.9rem;
    block-size: 1.9rem;
    stroke-width: 1.5;
  }
  .blank .button {
    margin-block-start: 0.8rem;
  }
  .blank.failed .emblem {
    color: var(--_bad);
    background: var(--_bad-ground);
  }
  .bone {
    background: var(--_hover);
    border-radius: 0.5rem;
    animation: breathe 1.4s ease-in-out infinite alternate;
  }
  @keyframes breathe {
    from {
      opacity: 0.55;
    }
    to {
      opacity: 1;
    }
  }
  .spinner {
    inline-size: 1.25rem;
    block-size: 1.25rem;
    border-radius: 50%;
    border: 2px solid var(--_line);
    border-block-start-color: var(--_accent);
    animation: turn 0.8s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important;
      scroll-behavior: auto !important;
    }
  }
`,qr=_`
  :host {
    display: block;
    block-size: 100%;
    min-block-size: 0;
    background: var(--_ground);
    overflow: hidden;
  }
  :host([hidden]) {
    display: none;
  }
  .inbox {
    position: relative;
    display: grid;
    block-size: 100%;
    min-block-size: 0;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  }
  .wide {
    grid-template-columns: clamp(17.5rem, 30%, 23.5rem) minmax(0, 1fr);
  }
  .side {
    display: grid;
    grid-template-rows: auto auto auto minmax(0, 1fr) auto;
    min-block-size: 0;
    background: var(--_side);
    border-inline-end: 1px solid var(--_line);
  }
  .narrow .side {
    border: 0;
  }
  .side header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-block-size: 3.5rem;
    padding: max(0.5rem, env(safe-area-inset-top)) 0.75rem 0 1.15rem;
  }
  h1 {
    font-size: 1.3rem;
    font-weight: 700;
    letter-spacing: -0.01em;
  }
  .search {
    position: relative;
    display: grid;
    align-items: center;
    padding: 0.35rem 0.9rem 0.6rem;
  }
  .search > .icon {
    grid-area: 1 / 1;
    inline-size: 1.1rem;
    block-size: 1.1rem;
    margin-inline-start: 0.75rem;
    color: var(--_dim);
    pointer-events: none;
    z-index: 1;
  }
  .search input {
    grid-area: 1 / 1;
    inline-size: 100%;
    min-block-size: 2.375rem;
    border: 1px solid transparent;
    border-radius: 12px;
    background: color-mix(in srgb, var(--_text) 6%, var(--_side));
    padding: 0.3rem 2.4rem;
    appearance: none;
    text-overflow: ellipsis;
    outline-offset: 0;
  }
  .search input:focus {
    background: var(--_ground);
    border-color: var(--_accent);
    outline: 1px solid var(--_accent);
  }
  .search input::placeholder {
    color: var(--_dim);
    opacity: 1;
  }
  .search input::-webkit-search-cancel-button {
    display: none;
  }
  .search .round {
    grid-area: 1 / 1;
    justify-self: end;
    inline-size: 2.1rem;
    block-size: 2.1rem;
  }
  .search .round .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .tabs {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: 1fr;
    border-block-start: 1px solid var(--_line);
    padding: 0.3rem 0.5rem max(0.35rem, env(safe-area-inset-bottom));
  }
  .tabs button {
    display: grid;
    justify-items: center;
    gap: 0.1rem;
    padding: 0.3rem;
    border-radius: 12px;
    color: var(--_dim);
    font-size: 0.72rem;
    font-weight: 550;
    outline-offset: -2px;
  }
  .tabs button:hover {
    color: var(--_text);
  }
  .tabs [aria-pressed="true"][aria-pressed] {
    color: var(--_accent);
  }
  .tabs span {
    position: relative;
  }
  .tabs b {
    position: absolute;
    inset-block-start: -0.3rem;
    inset-inline-start: 0.95rem;
    min-inline-size: 1.1rem;
    padding-inline: 0.3rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.66rem;
    font-weight: 650;
    line-height: 1.1rem;
    text-align: center;
    box-shadow: 0 0 0 2px var(--_side);
  }
  .main {
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    min-block-size: 0;
    min-inline-size: 0;
  }
  .main > :last-child {
    grid-row: 2;
  }
  .none {
    display: grid;
    background: var(--_canvas);
  }
  .note {
    position: absolute;
    inset-block-end: 5.5rem;
    inset-inline: 1rem;
    display: grid;
    justify-items: center;
    pointer-events: none;
    z-index: 5;
  }
  .note span {
    max-inline-size: 32rem;
    background: var(--_text);
    color: var(--_ground);
    border-radius: 14px;
    padding: 0.6rem 1.1rem;
    font-size: 0.875rem;
    box-shadow: var(--_shadow-high);
    overflow-wrap: anywhere;
  }
  .note span:empty {
    display: none;
  }
`,V=(e,t=``)=>w`<svg class="icon ${t}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${e}</svg>`,H={back:V(T`<path d="M15 5l-7 7 7 7"/>`,`mirror`),close:V(T`<path d="M6 6l12 12M18 6L6 18"/>`),search:V(T`<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>`),chats:V(T`<path d="M4 5.5h16v11H9.5L5.5 20v-3.5H4z"/>`),apps:V(T`<rect x="4" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.8"/>`),settings:V(T`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2.2"/><circle cx="9" cy="17" r="2.2"/>`),attach:V(T`<path d="M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3 3 0 0 1 4.3 4.3l-7.8 7.7a1.5 1.5 0 0 1-2.1-2.1l7-7"/>`),send:V(T`<path d="M12 19V5.5M6 11.3l6-6 6 6"/>`),down:V(T`<path d="M6 9.5l6 6 6-6"/>`),more:V(T`<g class="solid"><circle cx="5.5" cy="12" r="1.7"/><circle cx="12" cy="12" r="1.7"/><circle cx="18.5" cy="12" r="1.7"/></g>`),bell:V(T`<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>`),open:V(T`<path d="M10 6H6v12h12v-4M13.5 5H19v5.5M19 5l-8 8"/>`,`mirror`),copy:V(T`<rect x="8.5" y="8.5" width="11" height="11" rx="2"/><path d="M15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/>`),recall:V(T`<path d="M8.5 5L4.5 9l4 4M5 9h9a5 5 0 0 1 0 10h-4"/>`,`mirror`),warning:V(T`<path d="M12 4.5L20.5 19h-17zM12 10v4M12 16.4v.4"/>`),offline:V(T`<path d="M3 3l18 18M5 12.5a10 10 0 0 1 4-2.4M2.5 9a14 14 0 0 1 4-2.6M10.500 5.100A14 14 0 0 1 21.500 9M14.500 10.400a10 10 0 0 1 4.500 2.100M8.500 16a5 5 0 0 1 6 -.8M12 19.500v.2"/>`),picture:V(T`<rect x="4" y="5" width="16" height="14" rx="2.2"/><circle cx="9" cy="10" r="1.6"/><path d="M4.500 17l5-4.500 3.500 3 2.500-2 4.500 3.500"/>`),pencil:V(T`<path d="M5 19l.8-3.800L16 5l3 3L8.800 18.200zM13.800 7.200l3 3"/>`),clock:V(T`<circle cx="12" cy="12" r="7.5"/><path d="M12 8v4.300l2.500 1.700"/>`,`tick`),done:V(T`<path d="M5.500 12.500l4.200 4.200L18.500 7.500"/>`),pending:V(T`<circle cx="12" cy="12" r="7.5"/><path d="M12 8v4.300l2.500 1.700"/>`),closed:V(T`<circle cx="12" cy="12" r="7.5"/><path d="M8.500 12h7"/>`),sent:V(T`<path d="M5.500 12.500l4.200 4.200L18.500 7.500"/>`,`tick`),read:V(T`<path d="M2.500 12.500l4.200 4.200L15.500 7.500M11.500 16.200l.7.6L21.500 7.500"/>`,`tick`)};function U(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var Jr=1500,Yr=3e3,W=class extends A{constructor(...e){super(...e),this.isTold=!1,this.isRelieved=!1,this.#e=new Sr(this,()=>this.#r()),this.#t=0,this.#n=0}static{this.styles=[B,_`
      :host {
        display: block;
      }
      p {
        display: flex;
        align-items: center;
        gap: 0.6rem;
        padding: 0.45rem 1rem;
        font-size: 0.8438rem;
        line-height: 1.35;
        background: var(--_warn-ground);
        color: var(--_warn);
        animation: appear 0.2s ease-out;
      }
      p.good {
        background: var(--_good-ground);
        color: var(--_good);
      }
      p.bad {
        background: var(--_bad-ground);
        color: var(--_bad);
      }
      p > span {
        flex: 1;
      }
      .icon {
        inline-size: 1.15rem;
        block-size: 1.15rem;
      }
      button {
        font-weight: 650;
        text-decoration: underline;
        text-underline-offset: 3px;
        white-space: nowrap;
        padding: 0.2rem;
      }
      @keyframes appear {
        from {
          opacity: 0;
        }
      }
    `]}#e;#t;#n;disconnectedCallback(){super.disconnectedCallback(),window.clearTimeout(this.#t),window.clearInterval(this.#n)}willUpdate(e){e.has(`session`)&&(this.#e.set([this.session.client.connection.state]),this.#r())}#r(){let e=this.session.client.connection.state.get();window.clearInterval(this.#n),e.status===`waiting`&&(this.#n=window.setInterval(()=>this.requestUpdate(),1e3)),e.status===`open`?this.#a():e.status===`offline`||e.status===`stopped`?this.#i():e.status!==`idle`&&!this.isTold&&!this.#t&&(this.#t=window.setTimeout(()=>this.#i(),Jr)),this.requestUpdate()}#i(){window.clearTimeout(this.#t),this.#t=0,this.isTold=!0,this.isRelieved=!1}#a(){window.clearTimeout(this.#t),this.#t=0,this.isTold&&(this.isTold=!1,this.isRelieved=!0,this.#t=window.setTimeout(()=>{this.#t=0,this.isRelieved=!1},Yr))}render(){return w`<div role="status">${this.isTold||this.isRelieved?this.#o(this.session.client.connection.state.get()):D}</div>`}#o(e){let{words:t}=this,{connection:n}=this.session.client;switch(e.status){case`open`:return w`<p class="good"><span>${t.backOnline}</span></p>`;case`offline`:return w`<p>${H.offline}<span>${t.offline}</span></p>`;case`connecting`:return w`<p><span>${e.attempt>1?t.reconnecting:t.connecting}</span></p>`;case`waiting`:{let r=Math.max(0,Math.ceil((e.retryAt-Date.now())/1e3));return w`<p>
          ${H.offline}<span class="unseen">${t.reconnecting}</span
          ><span aria-hidden="true">${r>0?er(t.waiting,r):t.reconnecting}</span
          ><button @click=${()=>n.wake()}>${t.tryNow}</button>
        </p>`}case`stopped`:return w`<p class="bad">
          ${H.warning}<span>${Xr(e.reason,t)}</span>
          ${e.reason===`disabled`?D:w`<button @click=${()=>this.session.client.start()}>${t.connectAgain}</button>`}
        </p>`;default:return D}}};U([M({attribute:!1})],W.prototype,`session`,void 0),U([M({attribute:!1})],W.prototype,`words`,void 0),U([N()],W.prototype,`isTold`,void 0),U([N()],W.prototype,`isRelieved`,void 0),W=U([j(`carillon-inbox-banner`)],W);function Xr(e,t){return{signed_out:t.stoppedSignedOut,disabled:t.stoppedDisabled,replaced:t.stoppedReplaced,flooding:t.stoppedFlooding,refused:t.stoppedRefused,closed:t.stoppedClosed}[e]}var Zr=[4e3,15e3,6e4],Qr=600,$r=100,ei=class{#e=null;#t=0;#n=0;#r=null;#i=[];constructor(e){e.addController(this)}follow(e,t){this.hostDisconnected(),this.#e=e,this.#t=t,this.#n=this.#a.at(-1)?.id??0,this.hostConnected()}hostConnected(){!this.#e||this.#r||(this.#r=this.#e.store.history(this.#t).subscribe(()=>this.#o()),window.addEventListener(`focus`,this.#s))}hostDisconnected(){this.#r?.(),this.#r=null,this.#c(),window.removeEventListener(`focus`,this.#s)}get#a(){return this.#e?.store.history(this.#t).get().items??[]}#o(){let e=this.#a.findLast(e=>e.id>0);if(!e||e.id<=this.#n)return;let t=this.#n===0;this.#n=e.id,t||(this.#c(),this.#i=(e.is_mine?Zr:[Qr]).map(e=>window.setTimeout(this.#s,e)))}#s=()=>{let e=this.#a,t=document.visibilityState===`visible`&&document.hasFocus(),n=e.some(e=>e.is_mine&&e.id>0&&!e.is_read);!t||!n||e.length>$r||this.#e?.connection.state.get().status===`open`&&this.#e.store.refresh(this.#t)};#c(){for(let e of this.#i)window.clearTimeout(e);this.#i=[]}},ti=_`
  :host {
    display: grid;
    min-block-size: 0;
    min-inline-size: 0;
    container-type: inline-size;
  }
  .chat {
    position: relative;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    min-block-size: 0;
    min-inline-size: 0;
  }
  header {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    min-block-size: 3.75rem;
    padding: 0.5rem clamp(0.5rem, 2.5cqi, 1.5rem);
    background: var(--_ground);
    border-block-end: 1px solid var(--_line);
  }
  .elsewhere {
    min-inline-size: 1.35rem;
    padding-inline: 0.4rem;
    margin-inline: -1.1rem -0.1rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 650;
    line-height: 1.35rem;
    text-align: center;
  }
  .who {
    flex: 1;
    min-inline-size: 0;
    display: grid;
  }
  .title {
    font-size: 1.0625rem;
    font-weight: 650;
    line-height: 1.3;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    /* A name in another script keeps its own direction, and its place. */
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  .who span {
    color: var(--_dim);
    font-size: 0.8rem;
    line-height: 1.3;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  header .icon {
    inline-size: 1.25rem;
    block-size: 1.25rem;
  }
  header .button .icon {
    inline-size: 1.05rem;
    block-size: 1.05rem;
  }
  .silent {
    background: var(--_canvas);
    color: var(--_dim);
    text-align: center;
    font-size: 0.8125rem;
    padding: 0.25rem 1rem max(0.9rem, env(safe-area-inset-bottom));
  }
  .drop {
    position: absolute;
    inset: 0.75rem;
    border-radius: 22px;
    border: 2px dashed var(--_accent);
    background: color-mix(in srgb, var(--_ground) 90%, var(--_accent));
    display: grid;
    place-items: center;
    font-weight: 600;
    color: var(--_accent);
    pointer-events: none;
    text-align: center;
    z-index: 2;
  }
  .drop span {
    display: grid;
    justify-items: center;
    gap: 0.6rem;
    padding: 1rem;
  }
  .drop .icon {
    inline-size: 2.2rem;
    block-size: 2.2rem;
  }
`,ni=_`
  :host {
    display: contents;
  }
  dialog {
    border: 0;
    padding: 0;
    color: var(--_text);
    background: var(--_ground);
    border-radius: 20px;
    box-shadow: var(--_shadow-high);
  }
  dialog::backdrop {
    background: rgb(10 14 24 / 55%);
  }
  dialog[open] {
    animation: open 0.16s ease-out;
  }
  @keyframes open {
    from {
      opacity: 0;
      transform: scale(0.97);
    }
  }
`,ri=_`
  :host {
    display: block;
    background: var(--_canvas);
    padding: 2px clamp(0.5rem, 3cqi, 2.25rem) max(0.75rem, env(safe-area-inset-bottom));
  }
  .box {
    background: var(--_bubble);
    border-radius: 22px;
    box-shadow: var(--_shadow);
    border: 1px solid var(--_line);
    transition: border-color 0.15s, box-shadow 0.15s;
  }
  .box:focus-within {
    border-color: var(--_accent);
    box-shadow: 0 0 0 1px var(--_accent);
  }
  .writing {
    display: flex;
    align-items: flex-end;
    gap: 0.125rem;
    padding: 0.2rem;
  }
  textarea {
    flex: 1;
    min-inline-size: 0;
    border: 0;
    outline: 0;
    background: none;
    resize: none;
    padding: 0.58rem 0.35rem;
    max-block-size: min(13rem, 34vh);
    overflow-y: auto;
    scrollbar-width: thin;
  }
  @media (pointer: coarse) {
    /* iOS zooms into fields with smaller letters. */
    textarea {
      font-size: 1rem;
    }
  }
  /* The box around it shows the focus. */
  textarea:focus-visible {
    outline: none;
  }
  textarea::placeholder {
    color: var(--_dim);
    opacity: 1;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .send {
    color: var(--_dim);
  }
  .send .icon {
    stroke-width: 2.2;
  }
  .send.ready {
    color: var(--_on-accent);
    background: var(--_accent);
  }
  .send:not(.ready) {
    opacity: 0.55;
  }
  .tray {
    display: flex;
    gap: 0.5rem;
    overflow-x: auto;
    padding: 0.6rem 0.6rem 0.2rem;
  }
  .tray li {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    flex: none;
    max-inline-size: 16rem;
    background: var(--_hover);
    border-radius: 14px;
    padding: 0.35rem 0.2rem 0.35rem 0.4rem;
  }
  .tray img,
  .kind {
    inline-size: 2.75rem;
    block-size: 2.75rem;
    border-radius: 10px;
    object-fit: cover;
    flex: none;
  }
  .kind {
    display: grid;
    place-items: center;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 700;
  }
  .about {
    display: grid;
    min-inline-size: 0;
    font-size: 0.8rem;
    color: var(--_dim);
  }
  .about b {
    color: var(--_text);
    font-weight: 550;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .tray .round {
    inline-size: 2rem;
    block-size: 2rem;
  }
  .tray .round .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .problem {
    color: var(--_bad);
    font-size: 0.8125rem;
    padding: 0 1rem 0.5rem;
  }
  .problem:empty {
    display: none;
  }
`,ii=65536,G=class extends A{constructor(...e){super(...e),this.peer=0,this.name=``,this.text=``,this.files=[],this.problem=``,this.#e=new Map,this.#n=()=>{this.text=this.field.value,this.session.drafts.set(this.peer,this.text)},this.#r=e=>{e.key!==`Enter`||e.shiftKey||e.isComposing||e.keyCode===229||(e.preventDefault(),this.#a())},this.#i=e=>{let t=e.clipboardData?.files;t&&t.length!==0&&(e.preventDefault(),this.attach(t))},this.#c=()=>{this.chooser.files&&this.attach(this.chooser.files),this.chooser.value=``}}static{this.styles=[B,ri]}#e;focus(){this.field.focus()}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#e.values())URL.revokeObjectURL(e);this.#e.clear()}attach(e){let t=[...e],n=t.find(e=>e.size===0);this.problem=n?R(this.words.emptyFile,{name:n.name}):``,this.#o([...this.files,...t.filter(e=>e.size>0)]),this.field.focus()}willUpdate(e){(e.has(`peer`)||e.has(`session`))&&(this.text=this.session.drafts.get(this.peer)??``,this.files=this.session.attachments.get(this.peer)??[],this.problem=``)}updated(){this.field.style.height=`auto`,this.field.style.height=`${this.field.scrollHeight}px`}get#t(){return this.text.length*3<ii?0:new TextEncoder().encode(this.text).length}#n;#r;#i;#a(){let e=this.text.trim();if(this.#t>ii||!e&&this.files.length===0)return;let{peer:t,session:n,files:r}=this;this.text=``,this.field.value=``,n.drafts.delete(t),this.#o([]),this.field.focus();for(let e of r)n.uploads.add(t,e);e&&n.client.store.send(t,{content:e}).catch(()=>void 0),this.dispatchEvent(new CustomEvent(`sent`))}#o(e){for(let[t,n]of this.#e)e.includes(t)||(URL.revokeObjectURL(n),this.#e.delete(t));this.files=e,this.session.attachments.set(this.peer,e)}#s(e){if(!e.type.startsWith(`image/`)||e.type===`image/svg+xml`)return null;let t=this.#e.get(e)??URL.createObjectURL(e);return this.#e.set(e,t),t}render(){let{words:e,text:t,files:n}=this,r=this.#t,i=r>ii?R(e.tooLong,{size:wr(r),limit:wr(ii)}):``,a=!i&&(t.trim()!==``||n.length>0);return w`<div class="box">
      ${n.length>0?this.#l(n):D}
      <div class="writing">
        <button class="round" aria-label=${e.attach} title=${e.attach} @click=${()=>this.chooser.click()}>${H.attach}</button>
        <input type="file" multiple hidden tabindex="-1" aria-hidden="true" @change=${this.#c} />
        <textarea
          rows="1"
          dir="auto"
          enterkeyhint="send"
          placeholder=${R(e.write,{name:this.name})}
          aria-label=${R(e.write,{name:this.name})}
          aria-invalid=${i?`true`:`false`}
          .value=${t}
          @input=${this.#n}
          @keydown=${this.#r}
          @paste=${this.#i}
        ></textarea>
        <button class="round send ${a?`ready`:``}" aria-label=${e.send} title=${e.send} aria-disabled=${a?`false`:`true`} @click=${()=>this.#a()}>${H.send}</button>
      </div>
      <p class="problem" role="status">${i||this.problem}</p>
    </div>`}#c;#l(e){return w`<ul class="tray" aria-label=${this.words.attachments}>
      ${e.map(e=>{let t=this.#s(e);return w`<li>
          ${t?w`<img src=${t} alt="" />`:w`<span class="kind" aria-hidden="true">${Tr(e.name)||H.attach}</span>`}
          <span class="about"><b dir="auto">${e.name}</b><span>${wr(e.size)}</span></span>
          <button class="round" aria-label=${R(this.words.removeFile,{name:e.name})} @click=${()=>this.#u(e)}>${H.close}</button>
        </li>`})}
    </ul>`}#u(e){this.#o(this.files.filter(t=>t!==e)),this.field.focus()}};U([M({attribute:!1})],G.prototype,`session`,void 0),U([M({attribute:!1})],G.prototype,`words`,void 0),U([M({type:Number})],G.prototype,`peer`,void 0),U([M()],G.prototype,`name`,void 0),U([P(`textarea`)],G.prototype,`field`,void 0),U([P(`input`)],G.prototype,`chooser`,void 0),U([N()],G.prototype,`text`,void 0),U([N()],G.prototype,`files`,void 0),U([N()],G.prototype,`problem`,void 0),G=U([j(`carillon-inbox-composer`)],G);var ai={},oi=Bn(class extends Vn{constructor(){super(...arguments),this.ot=ai}render(e,t){return t()}update(e,[t,n]){if(Array.isArray(t)){if(Array.isArray(this.ot)&&this.ot.length===t.length&&t.every((e,t)=>e===this.ot[t]))return E}else if(this.ot===t)return E;return this.ot=Array.isArray(t)?Array.from(t):t,this.render(t,n)}}),si=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},ci=Bn(class extends Vn{constructor(e){if(super(e),e.type!==zn.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=qn(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=I(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=I(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=I(i[d],a[m]),F(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=I(i[f],a[p]),F(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=si(o,p,m),u=si(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=F(e,i[d]);I(t,a[p]),c[p]=t}else c[p]=I(n,a[p]),F(e,i[d],n),i[t]=null;p++}else Jn(i[f]),f--}else Jn(i[d]),d++;for(;p<=m;){let t=F(e,c[m+1]);I(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&Jn(e)}return this.ut=o,Kn(e,c),E}}),li=.6,ui=class{#e=new Set;#t=new WeakSet;#n;constructor(e){this.onRead=e,this.#n=new IntersectionObserver(e=>this.#r(e),{threshold:[0,li,1]})}start(){window.addEventListener(`focus`,this.#i),document.addEventListener(`visibilitychange`,this.#i)}stop(){window.removeEventListener(`focus`,this.#i),document.removeEventListener(`visibilitychange`,this.#i),this.#n.disconnect(),this.#e.clear()}observe(e){for(let t of e)this.#t.has(t)||(this.#t.add(t),this.#n.observe(t))}#r(e){for(let t of e){let e=Number(t.target.dataset.unread);e?di(t)?this.#e.add(e):this.#e.delete(e):this.#n.unobserve(t.target)}this.#i()}#i=()=>{this.#e.size!==0&&document.visibilityState===`visible`&&document.hasFocus()&&this.onRead(Math.max(...this.#e))}};function di(e){return e.isIntersecting?e.intersectionRatio>=li||e.boundingClientRect.bottom<=(e.rootBounds?.bottom??0)+1&&e.intersectionRect.bottom>=e.boundingClientRect.bottom-1&&e.intersectionRect.height>120:!1}var fi=56,pi=class{#e=new Map;#t=0;note(e,t){let n=this.#e.get(e);return n!==t&&(this.#e.set(e,t),this.#t+=t-(n??0),!0)}clear(){let e=this.guess;this.#e.clear(),this.#t=0,this.#n=e}#n=fi;get guess(){return this.#e.size>0?this.#t/this.#e.size:this.#n}offsetsOf(e){let t=new Float64Array(e.length+1),n=this.guess,r=0;return e.forEach(({key:e},i)=>{r+=this.#e.get(e)??n,t[i+1]=r}),t}};function mi(e,t){let n=0,r=Math.max(0,e.length-2);for(;n<r;){let i=n+r+1>>1;(e[i]??0)<=t?n=i:r=i-1}return n}function hi(e,t,n){let r=e.length-1;return r<=0?[0,0]:[mi(e,t),Math.min(r,mi(e,n)+1)]}var gi=700,_i=16,vi=6,yi=class{constructor(){this.anchor=`end`,this.first=0,this.end=0,this.#e=new pi,this.#t=[],this.#n=new Map,this.#r=new Float64Array(1),this.#i=0,this.#a=800,this.#o=0,this.#s=0,this.#c=-1,this.#l=0}#e;#t;#n;#r;#i;#a;#o;#s;#c;#l;get isAtEnd(){return this.#l<=_i}take(e){e!==this.#t&&(this.#t=e,this.#n=new Map(e.map((e,t)=>[e.key,t])),this.#r=this.#e.offsetsOf(e)),this.#p();let t=this.#f();[this.first,this.end]=hi(this.#r,t-gi,t+this.#a+gi)}lookAt(e){this.anchor=e}settle(e){return this.#a=e.scroller.clientHeight,this.#m(e.scroller.clientWidth),this.#h(e.rows)&&(this.#r=this.#e.offsetsOf(this.#t)),xi(e.above,this.#r[this.first]??0),xi(e.below,this.#u-(this.#r[this.end]??0)),this.#g(e),this.#_(e)}isOwn({scroller:e}){return Math.abs(e.scrollTop-this.#c)<1}scrolled(e){let{scroller:t}=e;if(this.#s=0,this.#l=bi(t),this.isOwn(e))return this.#_(e);this.#c=-1;let n=t.scrollTop-e.lead.offsetHeight,r=this.#t[mi(this.#r,n)];return this.isAtEnd?this.anchor=`end`:r&&this.lookAt({key:r.key,offset:this.#d(r.key)-n}),this.#_(e)}get topIndex(){return mi(this.#r,this.#f())}fitsFrom(e){return this.#u-this.#d(e)<=this.#a}get#u(){return this.#r[this.#t.length]??0}#d(e){return this.#r[this.#n.get(e)??0]??0}#f(){return this.anchor===`end`?this.#u-this.#a:this.#d(this.anchor.key)-this.anchor.offset}#p(){if(this.anchor===`end`)return;let e=this.#n.get(this.anchor.key);if(e!==void 0){this.#i=e;return}let t=this.#t[Math.min(this.#i,this.#t.length-1)];this.anchor=t?{key:t.key,offset:this.anchor.offset}:`end`}#m(e){e!==this.#o&&this.#o!==0&&this.#e.clear(),this.#o=e}#h(e){let t=!1;for(let n of e.children){let e=n.dataset.key;e!==void 0&&this.#e.note(e,n.getBoundingClientRect().height)&&(t=!0)}return t}#g({scroller:e,lead:t}){let n=e.scrollHeight-e.clientHeight,r=this.anchor===`end`?n:Math.min(n,this.#f()+t.offsetHeight);Math.abs(r-e.scrollTop)>.5&&(e.scrollTop=r,this.#c=e.scrollTop),this.#l=bi(e)}#_({scroller:e,lead:t}){let n=e.scrollTop-t.offsetHeight,[r,i]=hi(this.#r,n-gi/2,n+e.clientHeight+gi/2),a=this.first<=r&&this.end>=i;return a&&(this.#s=0),!a&&this.#s++<vi}};function bi(e){return e.scrollHeight-e.scrollTop-e.clientHeight}function xi(e,t){let n=`${Math.max(0,t)}px`;e.style.height!==n&&(e.style.height=n)}var Si=class{#e=!1;#t=!1;isAwaited(e,{items:t,isLoading:n,error:r}){return(t.length>0||r||this.#e&&!n)&&(this.#t=!0),this.#e=n,n?!0:!this.#t&&[`idle`,`connecting`].includes(e.connection.state.get().status)}},Ci=_`
  :host {
    position: relative;
    display: grid;
    min-block-size: 0;
    background: var(--_canvas);
  }
  .scroller {
    overflow-y: auto;
    overflow-x: hidden;
    overscroll-behavior: contain;
    /* The place is kept by the program: a browser that does it too would do it twice. */
    overflow-anchor: none;
    min-block-size: 0;
    outline-offset: -3px;
    scrollbar-width: thin;
    scrollbar-color: color-mix(in srgb, var(--_dim) 45%, transparent) transparent;
  }
  .canvas {
    min-block-size: 100%;
    display: flex;
    flex-direction: column;
    padding-block-end: 0.75rem;
    padding-inline: clamp(0.75rem, 3.5cqi, 2.5rem);
  }
  .lead {
    flex: 1 0 auto;
    min-block-size: 3.75rem;
    display: grid;
    place-items: center;
    color: var(--_dim);
    font-size: 0.8125rem;
  }
  .lead > span {
    align-self: start;
    padding-block: 1rem 0.5rem;
  }
  .older-failed {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 0.8rem;
    align-items: center;
    justify-content: center;
    padding: 0.8rem 0.5rem;
    color: var(--_bad);
  }
  .above,
  .below {
    flex: none;
  }
  .day,
  .new {
    display: flex;
    justify-content: center;
    align-items: center;
    padding-block: 0.9rem 0.5rem;
  }
  .day span {
    background: color-mix(in srgb, var(--_canvas) 82%, var(--_text) 8%);
    color: var(--_dim);
    font-size: 0.78rem;
    font-weight: 500;
    padding: 0.2rem 0.8rem;
    border-radius: 999px;
  }
  .new {
    gap: 0.8rem;
    color: var(--_accent);
    font-size: 0.78rem;
    font-weight: 600;
    padding-block: 0.7rem 0.4rem;
  }
  .new::before,
  .new::after {
    content: "";
    flex: 1;
    block-size: 1px;
    background: color-mix(in srgb, var(--_accent) 35%, transparent);
  }
  .floating {
    position: absolute;
    inset-block-start: 0;
    inset-inline: 0;
    padding-block-start: 0.6rem;
    pointer-events: none;
    opacity: 0;
    transition: opacity 0.25s;
  }
  .floating.shown {
    opacity: 1;
  }
  .floating span {
    background: color-mix(in srgb, var(--_ground) 92%, transparent);
    box-shadow: var(--_shadow);
  }
  .floating span:empty {
    display: none;
  }
  .jump {
    position: absolute;
    inset-block-end: 1rem;
    inset-inline-end: 1.25rem;
    inline-size: 2.75rem;
    block-size: 2.75rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    background: var(--_ground);
    color: var(--_dim);
    box-shadow: var(--_shadow-high);
    animation: rise 0.18s ease-out;
  }
  .jump:hover {
    color: var(--_text);
  }
  .jump .count {
    position: absolute;
    inset-block-start: -0.45rem;
    inset-inline-end: -0.3rem;
    min-inline-size: 1.35rem;
    padding: 0.05rem 0.35rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 600;
    text-align: center;
    line-height: 1.25rem;
  }
  @keyframes rise {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
  .bones {
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
    gap: 0.75rem;
    padding: 1.5rem clamp(0.75rem, 3.5cqi, 2.5rem);
  }
  .bones .bone {
    block-size: 2.5rem;
    border-radius: var(--_radius);
    background: var(--_bubble);
  }
  .bones .mine {
    align-self: flex-end;
    background: var(--_bubble-mine);
  }
  .w2 { inline-size: 22%; }
  .w3 { inline-size: 34%; }
  .w4 { inline-size: 42%; }
  .w5 { inline-size: 52%; }
  .w6 { inline-size: 62%; }
`,wi=_`
  .row {
    padding-block-start: 2px;
    display: flow-root;
  }
  .row.first {
    padding-block-start: 0.625rem;
  }
  .row.fresh .bubble {
    animation: arrive 0.2s ease-out;
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateY(10px);
    }
  }
  .line {
    display: flex;
    align-items: center;
    gap: 0.25rem;
  }
  .mine .line {
    flex-direction: row-reverse;
  }
  .bubble {
    position: relative;
    max-inline-size: min(34rem, 85%);
    min-inline-size: 0;
    background: var(--_bubble);
    border-radius: var(--_radius);
    box-shadow: var(--_shadow);
    overflow-wrap: anywhere;
  }
  .mine .bubble {
    background: var(--_bubble-mine);
    --_dim: var(--_dim-mine);
  }
  .theirs .bubble {
    border-start-start-radius: 6px;
    border-end-start-radius: 6px;
  }
  .theirs.first .bubble {
    border-start-start-radius: var(--_radius);
  }
  .mine .bubble {
    border-start-end-radius: 6px;
    border-end-end-radius: 6px;
  }
  .mine.first .bubble {
    border-start-end-radius: var(--_radius);
  }
  .said {
    display: flow-root;
    padding: 0.45rem 0.8rem;
    white-space: pre-wrap;
  }
  /* On the last line if there is room, at the end of the text in its own direction. */
  .said > .meta {
    float: inline-end;
    margin-block: 0.6rem -0.2rem;
    margin-inline: 0.7rem -0.15rem;
  }
  .meta {
    display: inline-flex;
    align-items: center;
    gap: 0.15rem;
    color: var(--_dim);
    font-size: 0.7rem;
    line-height: 1;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .bubble > .meta {
    position: absolute;
    inset-block-end: 0.45rem;
    inset-inline-end: 0.7rem;
  }
  .state {
    display: inline-flex;
  }
  .icon.tick {
    inline-size: 1rem;
    block-size: 1rem;
    stroke-width: 2.1;
  }
  .state.is-read {
    color: var(--_accent);
  }
  .bubble.emoji {
    background: none;
    box-shadow: none;
  }
  .emoji .said {
    font-size: 2.6rem;
    line-height: 1.15;
    padding: 0.1rem 0.2rem;
  }
  .emoji .meta {
    margin-block-start: 2.2rem;
  }
  .more {
    inline-size: 2rem;
    block-size: 2rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    color: var(--_dim);
    opacity: 0;
    flex: none;
    transition: opacity 0.12s;
  }
  .line:hover .more,
  .more:focus-visible,
  .more[aria-expanded="true"] {
    opacity: 1;
  }
  .more:hover {
    background: var(--_hover);
  }
  @media (hover: none) {
    .line:hover .more {
      opacity: 0;
    }
    .touched .more.more {
      opacity: 1;
    }
    /* A notice takes the whole width: its button lies on it. */
    .line.wide {
      position: relative;
    }
    .line.wide .bubble.bubble {
      max-inline-size: min(32rem, 100%);
    }
    .line.wide .more {
      position: absolute;
      inset-block-start: 0.5rem;
      inset-inline-end: 0.5rem;
      background: var(--_bubble);
    }
  }
  .unsent {
    display: flex;
    flex-wrap: wrap;
    gap: 0.15rem 0.8rem;
    align-items: center;
    color: var(--_bad);
    font-size: 0.8125rem;
    padding-block: 0.25rem 0.2rem;
  }
  .mine .unsent {
    justify-content: flex-end;
    text-align: end;
  }
  .unsent .icon {
    display: inline-block;
    vertical-align: -0.2em;
    inline-size: 1.05rem;
    block-size: 1.05rem;
    margin-inline-end: 0.3rem;
  }
  .unsent .choices {
    display: inline-flex;
    gap: 0.8rem;
  }
  .unsent button {
    font-weight: 600;
    text-decoration: underline;
    text-underline-offset: 3px;
    padding-block: 0.2rem;
  }

  /* pictures and files */
  .bubble.picture,
  .bubble.video {
    padding: 3px;
    overflow: hidden;
  }
  .frame {
    display: block;
    position: relative;
    inline-size: fit-content;
    min-inline-size: 7rem;
    min-block-size: 5rem;
    border-radius: calc(var(--_radius) - 3px);
    overflow: hidden;
  }
  .frame.bone {
    inline-size: 16rem;
    max-inline-size: 100%;
    block-size: 11rem;
  }
  .frame img {
    display: block;
    block-size: auto;
    max-inline-size: 100%;
    min-inline-size: 7rem;
    min-block-size: 5rem;
    object-fit: cover;
  }
  .frame.bone img {
    inline-size: 100%;
    block-size: 100%;
    max-inline-size: none;
    position: absolute;
    opacity: 0;
  }
  .frame.gone {
    display: grid;
    place-items: center;
    gap: 0.2rem;
    inline-size: 16rem;
    max-inline-size: 100%;
    padding: 1.6rem 1rem 2rem;
    color: var(--_dim);
    font-size: 0.875rem;
    text-align: center;
  }
  .gone .choices {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0.2rem 1rem;
    font-weight: 600;
    color: var(--_accent);
  }
  .uploading video {
    max-block-size: 16rem;
    opacity: 0.6;
  }
  .picture > .meta,
  .video > .meta {
    background: #101521b8;
    color: #fff;
    padding: 0.22rem 0.5rem;
    border-radius: 999px;
    pointer-events: none;
  }
  .picture > .meta .state.is-read,
  .video > .meta .state.is-read {
    color: #a9c6ff;
  }
  video {
    display: block;
    max-inline-size: min(24rem, 100%);
    max-block-size: 22rem;
    border-radius: calc(var(--_radius) - 3px);
    background: #000;
  }
  .video > .meta {
    inset-block: 0.7rem auto;
  }
  .file {
    display: flex;
    align-items: center;
    gap: 0.7rem;
    min-inline-size: 0;
  }
  .bubble > .file {
    padding: 0.6rem 0.9rem 1.2rem 0.65rem;
    min-inline-size: 13rem;
    max-inline-size: 100%;
  }
  .sheet {
    inline-size: 2.5rem;
    block-size: 2.9rem;
    border-radius: 0.5rem 0.9rem 0.5rem 0.5rem;
    display: grid;
    place-items: center;
    flex: none;
    color: var(--_on-accent);
    background: var(--_accent);
    font-size: 0.7rem;
    font-weight: 700;
    letter-spacing: 0.03em;
  }
  .names {
    display: grid;
    min-inline-size: 0;
  }
  .names b {
    font-weight: 600;
    line-height: 1.3;
    display: -webkit-box;
    -webkit-line-clamp: 2;
    -webkit-box-orient: vertical;
    overflow: hidden;
  }
  .names span {
    color: var(--_dim);
    font-size: 0.8rem;
  }
  button.file:not(:disabled):hover b {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .uploading .frame img {
    opacity: 0.6;
  }
  .progress {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    pointer-events: none;
  }
  .progress > * {
    grid-area: 1 / 1;
  }
  .progress svg {
    inline-size: 3rem;
    block-size: 3rem;
    fill: #101521a6;
  }
  .progress circle {
    stroke-width: 3;
    stroke: #ffffff4d;
  }
  .progress .done {
    fill: none;
    stroke: #fff;
    stroke-linecap: round;
    transition: stroke-dashoffset 0.2s;
  }
  .progress button {
    color: #fff;
    inline-size: 3rem;
    block-size: 3rem;
    display: grid;
    place-items: center;
    border-radius: 50%;
    pointer-events: auto;
  }
  .progress .icon {
    inline-size: 1.2rem;
    block-size: 1.2rem;
    stroke-width: 2.2;
  }
  .file.uploading .progress {
    inset: auto;
    inset-block-start: 0.6rem;
    inset-inline-start: 0.65rem;
    inline-size: 2.5rem;
    block-size: 2.9rem;
  }
  .file.uploading .progress svg {
    inline-size: 2.2rem;
    block-size: 2.2rem;
    fill: none;
  }
  .file.uploading .sheet {
    color: transparent;
  }

  /* notices */
  .line.wide .bubble {
    inline-size: min(32rem, 100%);
    max-inline-size: min(32rem, calc(100% - 2.25rem));
  }
  .bubble.card {
    border-radius: var(--_radius);
    padding: 0.8rem 1rem 0.95rem;
  }
  .card header {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    color: var(--_dim);
    font-size: 0.8125rem;
    margin-block-end: 0.5rem;
  }
  .card .from {
    font-weight: 500;
  }
  .card header .meta {
    margin-inline-start: auto;
    font-size: 0.75rem;
  }
  .avatar.tiny {
    inline-size: 1.5rem;
    block-size: 1.5rem;
    font-size: 0.75rem;
  }
  .avatar.tiny .icon {
    inline-size: 0.95rem;
    block-size: 0.95rem;
  }
  .card h3 {
    font-size: 1rem;
    line-height: 1.35;
    font-weight: 650;
  }
  .matter {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.3rem 0.5rem;
    margin-block: 0.4rem 0.1rem;
    color: var(--_dim);
    font-size: 0.8125rem;
  }
  .matter-state {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    padding-block: 0.1rem;
    padding-inline: 0.4rem 0.55rem;
    border-radius: 999px;
    font-weight: 600;
  }
  .matter-state .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .matter-state.pending {
    color: var(--_warn);
    background: var(--_warn-ground);
  }
  .matter-state.done {
    color: var(--_good);
    background: var(--_good-ground);
  }
  .matter-state.rejected {
    color: var(--_bad);
    background: var(--_bad-ground);
  }
  .matter-state.closed {
    background: var(--_hover);
  }
  .prose {
    white-space: pre-wrap;
    margin-block-start: 0.25rem;
  }
  dl {
    display: grid;
    gap: 0.28rem 0;
    margin-block-start: 0.55rem;
  }
  dl > div {
    display: grid;
    grid-template-columns: minmax(4.5rem, 26%) 1fr;
    gap: 0.9rem;
  }
  dl > .deep {
    grid-template-columns: 1fr;
    gap: 0;
  }
  .deep > dd > dl {
    margin-block-start: 0.2rem;
    padding-inline-start: 0.7rem;
    border-inline-start: 2px solid var(--_line);
  }
  dt {
    color: var(--_dim);
  }
  dd > ul {
    display: grid;
    gap: 0.15rem;
  }
  .card footer {
    margin-block-start: 0.85rem;
  }
  .act {
    inline-size: 100%;
    min-block-size: 2.5rem;
  }
  .act.quiet {
    color: var(--_dim);
    background: none;
    font-weight: 500;
  }
  .act.quiet:hover {
    background: var(--_hover);
  }
  .act .icon {
    inline-size: 1.05rem;
    block-size: 1.05rem;
  }
`,Ti=/\p{Script=Han}/u;function Ei(e,t=`person`){let n=e.trim().split(/[\s._-]+/),[r]=n[0]??``;if(r===void 0)return`?`;if(Ti.test(r)){let e=[...(t===`person`?n.at(-1):n[0])??``];return(t===`person`?e.slice(-2):e.slice(0,2)).join(``)}let i=/^[A-Z]{2,3}(?![a-z])/.exec(e.trim());if(i)return i[0].slice(0,2);let[a=``]=n.length>1&&n.at(-1)||``;return`${r}${a}`.toUpperCase()}function Di(e){return Math.abs(e)%10}function Oi(e,t,n=``){if(e===0)return w`<span class="avatar app colour-8 ${n}" aria-hidden="true">${H.bell}</span>`;let r=e<0?`app`:`person`,i=Ei(t,r),a=n===`tiny`?[...i][0]:i;return w`<span class="avatar ${r} colour-${Di(e)} ${n}" aria-hidden="true">${a}</span>`}function K(e,t,n=``){return w`<div class="blank">
    <span class="emblem">${e}</span>
    <strong>${t}</strong>
    ${n?w`<span>${n}</span>`:D}
  </div>`}function ki(e,t,n){return w`<div class="blank failed" role="alert">
    <span class="emblem">${H.warning}</span>
    <strong>${e}</strong>
    <span>${t}</span>
    <button class="button" @click=${n.act}>${n.text}</button>
  </div>`}function Ai(e,{words:t,time:n,onAction:r}){let i=e.app_name??t.system;return w`<header>
      ${Oi(e.app_id===null?0:-e.app_id,i,`tiny`)}
      <span class="from">${i}</span>
      ${n}
    </header>
    <h3 dir="auto">${e.title}</h3>
    ${e.state?ji(e.state,e.state_text,t):D}
    ${Ni(e.content,t)}
    ${e.action_url?w`<footer>
          <button class="button act ${e.state&&e.state!==`PENDING`?`quiet`:``}" @click=${()=>r(e)}>
            ${e.action_text||t.openButton}${H.open}
          </button>
        </footer>`:D}`}function ji(e,t,n){let[r,i]={PENDING:[H.pending,n.cardPending],DONE:[H.done,n.cardDone],REJECTED:[H.close,n.cardRejected],CLOSED:[H.closed,n.cardClosed]}[e];return w`<p class="matter">
    <span class="matter-state ${e.toLowerCase()}">${r}${i}</span>${t?w`<span dir="auto">${t}</span>`:D}
  </p>`}function Mi(e){return e.type===`NOTIFICATION`||e.content_type===`USER_NOTIFICATION`||e.action_url!==null}function Ni(e,t){let n=nr(e);return n?Pi(n,t):w`<p class="prose" dir="auto">${Ii(e)}</p>`}function Pi(e,t){return w`<dl>
    ${e.map(e=>w`<div class=${e.value.kind===`items`?`deep`:``}>
        <dt dir="auto">${e.label}</dt>
        <dd dir="auto">${Fi(e.value,t)}</dd>
      </div>`)}
  </dl>`}function Fi(e,t){switch(e.kind){case`text`:return Ii(e.text);case`flag`:return e.is?t.yes:t.no;case`items`:return Pi(e.items,t);case`list`:return w`<ul>
        ${e.values.map(e=>w`<li>${Fi(e,t)}</li>`)}
      </ul>`}}function Ii(e){return sr(e).map(e=>e.href===null?e.text:w`<a href=${e.href} target="_blank" rel="noopener noreferrer">${e.text}</a>`)}function Li(e,t,n,r){return n?R(r.youAt,{time:t}):R(r.nameAt,{name:e,time:t})}function Ri(e){let t=e.currentTarget,n=[...t.getRootNode().querySelectorAll(`[data-id]`)],r=n.indexOf(e.target.closest(`[data-id]`)??t),i=n[zi(e.key,r,n.length)];i&&(e.preventDefault(),i.focus(),i.scrollIntoView({block:`nearest`}))}function zi(e,t,n){switch(e){case`ArrowDown`:return Math.min(n-1,t+1);case`ArrowUp`:return Math.max(0,t-1);case`Home`:return 0;case`End`:return n-1;default:return-1}}var Bi=class extends A{constructor(...e){super(...e),this.message=null,this.#e=null,this.#n=e=>{e.newState===`closed`&&this.#e?.removeAttribute(`aria-expanded`)},this.#r=e=>{e.key===`Escape`?e.stopPropagation():Ri(e)}}static{this.styles=[B,_`
      :host {
        display: contents;
      }
      .menu {
        position: fixed;
        inset: auto;
        margin: 0;
        border: 0;
        padding: 0.35rem;
        min-inline-size: 11rem;
        border-radius: 14px;
        background: var(--_ground);
        color: var(--_text);
        box-shadow: var(--_shadow-high);
      }
      button {
        display: flex;
        align-items: center;
        gap: 0.7rem;
        inline-size: 100%;
        padding: 0.5rem 0.75rem;
        border-radius: 10px;
        outline-offset: -2px;
      }
      button:hover {
        background: var(--_hover);
      }
      button.grave {
        color: var(--_bad);
      }
      .icon {
        inline-size: 1.2rem;
        block-size: 1.2rem;
      }
    `]}#e;async show(e,t){this.message=e,this.#e=t,await this.updateComplete,this.menu.showPopover(),t.setAttribute(`aria-expanded`,`true`),this.#t(t.getBoundingClientRect()),this.menu.querySelector(`button`)?.focus()}#t(e){let{offsetWidth:t,offsetHeight:n,style:r}=this.menu,i=e.bottom+4+n<window.innerHeight;r.left=`${Math.min(Math.max(8,e.left+e.width/2-t/2),window.innerWidth-t-8)}px`,r.top=`${i?e.bottom+4:Math.max(8,e.top-4-n)}px`}#n;#r;#i(){this.menu.hidePopover(),this.#e?.focus()}async#a(e){this.#i();let t=await navigator.clipboard.writeText(e).then(()=>!0,()=>!1);this.dispatchEvent(new CustomEvent(`copied`,{detail:t}))}#o(e){this.#i(),this.dispatchEvent(new CustomEvent(`recall`,{detail:e}))}render(){let{words:e,message:t}=this,n=t!==null&&![`IMAGE`,`VIDEO`,`FILE`].includes(t.content_type);return w`<div class="menu" popover="auto" role="menu" aria-label=${e.messageActions} @toggle=${this.#n} @keydown=${this.#r}>
      ${t&&n?w`<button role="menuitem" data-id="copy" @click=${()=>void this.#a(t.content)}>${H.copy}${e.copy}</button>`:D}
      ${t?.is_mine?w`<button class="grave" role="menuitem" data-id="recall" @click=${()=>this.#o(t)}>${H.recall}${e.recall}</button>`:D}
    </div>`}};U([M({attribute:!1})],Bi.prototype,`words`,void 0),U([P(`.menu`)],Bi.prototype,`menu`,void 0),U([N()],Bi.prototype,`message`,void 0),Bi=U([j(`carillon-inbox-menu`)],Bi);function Vi(e){return e.delivery===`sent`&&(e.is_mine||![`IMAGE`,`VIDEO`,`FILE`].includes(e.content_type))}var Hi=320;function Ui(e,t){let{session:n,words:r}=t,i=n.uploads.find(e.content),a=n.pictureOf(e),o=e.filename??i?.file.name??``;if(a.isGone)return Gi(e,t);let s=i?.preview??(e.id===0?``:n.addressOf(e)),[c,l]=Wi(a.size);return w`<button class="frame ${a.size?``:`bone`}" aria-label=${R(r.openPicture,{name:o})} ?disabled=${e.id===0} @click=${()=>t.onOpenPicture(e)}>
    <img src=${s} alt=${o||r.picture} width=${c} height=${l} decoding="async"
      @load=${t=>n.notePicture(e,t.target)} @error=${()=>n.renewPicture(e)} />
  </button>`}function Wi(e){if(e===null)return[D,D];let[t,n]=e,r=Math.min(1,Hi/t,Hi/n);return[Math.round(t*r),Math.round(n*r)]}function Gi(e,{session:t,words:n}){let r=t.addressOf(e);return w`<div class="frame gone">
    ${H.picture}<span>${n.pictureGone}</span>
    <span class="choices">
      <button @click=${()=>t.renewPicture(e,!0)}>${n.retry}</button>
      ${r?w`<a href=${r} target="_blank" rel="noopener noreferrer">${n.download}</a>`:D}
    </span>
  </div>`}function Ki(e,t){let{words:n,time:r}=t,{message:i}=e,a=i&&!i.is_mine&&!i.is_read&&i.id!==0?i.id:null;return w`<div
    class="row ${e.isMine?`mine`:`theirs`} ${e.isFirstOfGroup?`first`:``} ${e.isLastOfGroup?`last`:``} ${t.fresh.has(e.key)?`fresh`:``} ${t.touched===e.key?`touched`:``}"
    data-key=${e.key}
    data-unread=${a??D}
  >
    ${e.beginsDay?w`<div class="day"><span>${r.day(e.at)}</span></div>`:D}
    ${e.beginsUnread?w`<div class="new" role="separator"><span>${n.newMessages}</span></div>`:D}
    ${i?qi(i,t):e.upload?na(e.upload,t):D}
  </div>`}function qi(e,t){let{words:n,time:r}=t,i=Li(t.name,r.time(e.created_at_ms),e.is_mine,n),a=Ji(e);return w`<div class="line ${a===`card`?`wide`:``}">
      <div class="bubble ${a}" role="article" aria-label=${i}>${Yi(e,a,t)}</div>
      ${Vi(e)?Qi(e,t):D}
    </div>
    ${e.delivery===`failed`?$i(e,t):D}`}function Ji(e){return e.content_type===`IMAGE`?`picture`:e.content_type===`VIDEO`?`video`:e.content_type===`FILE`?`file`:Mi(e)?`card`:cr(e.content)?`emoji`:`text`}function Yi(e,t,n){let r=Xi(e,n),{session:i}=n;switch(t){case`card`:return Ai(e,{words:n.words,time:r,onAction:n.onAction});case`picture`:return w`${Ui(e,n)}${r}`;case`video`:return w`<video controls preload="metadata" src=${i.uploads.find(e.content)?.preview??i.addressOf(e)} aria-label=${ea(e,n)}></video>${r}`;case`file`:return w`${ta(e,n)}${r}`;default:return w`<p class="said" dir="auto">${Ii(e.content)}${r}</p>`}}function Xi(e,{words:t,time:n}){return w`<span class="meta"
    ><time datetime=${new Date(e.created_at_ms).toISOString()} title=${n.full(e.created_at_ms)}>${n.time(e.created_at_ms)}</time
    >${e.is_mine?Zi(e,t,n):D}</span
  >`}function Zi(e,t,n){if(e.delivery===`failed`)return D;let[r,i,a]=e.delivery===`sending`?[H.clock,``,t.sending]:e.is_read?[H.read,`is-read`,e.read_at_ms===null?t.read:R(t.readAt,{time:n.full(e.read_at_ms)})]:[H.sent,``,t.sent];return w`<span class="state ${i}" role="img" aria-label=${a} title=${a}>${r}</span>`}function Qi(e,{words:t,onMenu:n}){return w`<button class="more" aria-label=${t.messageActions} aria-haspopup="menu" @click=${t=>n(e,t.currentTarget)}>${H.more}</button>`}function $i(e,{words:t,session:n,onError:r}){let i=e.client_ref??``;return w`<div class="unsent" role="alert">
    <span>${H.warning}<b>${t.notSent}.</b> ${e.error?z(e.error,t):``}</span>
    <span class="choices">
      <button @click=${()=>void n.client.store.retry(i).catch(e=>r(t.notSent,e))}>${t.retry}</button>
      <button @click=${()=>n.client.store.discard(i)}>${t.discard}</button>
    </span>
  </div>`}function ea(e,{session:t,words:n}){return e.filename??t.uploads.find(e.content)?.file.name??n.file}function ta(e,t){let n=ea(e,t),r=t.session.uploads.find(e.content);return w`<button class="file" ?disabled=${e.id===0} @click=${()=>t.onOpenFile(e)}>
    <span class="sheet" aria-hidden="true">${Tr(n)||H.attach}</span>
    <span class="unseen">${t.words.openFile}</span>
    <span class="names"><b dir="auto">${n}</b>${r?w`<span>${wr(r.file.size)}</span>`:w`<span>${t.words.file}</span>`}</span>
  </button>`}function na(e,{words:t,session:n}){let{file:r,ref:i}=e,a=Math.round(e.progress*100),o=r.name;return w`<div class="line">
      <div class="bubble ${e.preview?`picture`:`file`} uploading" role="article" aria-label=${R(t.uploading,{name:o})}>
        ${e.preview?w`<span class="frame">${r.type.startsWith(`video/`)?w`<video src=${e.preview} muted preload="metadata"></video>`:w`<img src=${e.preview} alt=${o} />`}</span>`:w`<span class="file"><span class="sheet" aria-hidden="true">${Tr(o)||H.attach}</span><span class="names"><b dir="auto">${o}</b><span>${wr(r.size)}</span></span></span>`}
        <span class="progress">
          <svg viewBox="0 0 40 40" role="progressbar" aria-valuenow=${a} aria-valuemin="0" aria-valuemax="100" aria-label=${R(t.uploadProgress,{name:o,percent:a})}>
            <circle cx="20" cy="20" r="17" class="way" />
            <circle cx="20" cy="20" r="17" class="done" pathLength="100" stroke-dasharray="100" stroke-dashoffset=${100-a} transform="rotate(-90 20 20)" />
          </svg>
          <button aria-label=${R(t.cancelUpload,{name:o})} @click=${()=>n.uploads.discard(i)}>${H.close}</button>
        </span>
      </div>
    </div>
    ${e.error?w`<div class="unsent" role="alert">
          <span>${H.warning}<b>${R(t.uploadFailed,{name:o})}</b> ${z(e.error,t)}</span>
          <span class="choices">
            <button @click=${()=>n.uploads.retry(i)}>${t.retry}</button>
            <button @click=${()=>n.uploads.discard(i)}>${t.discard}</button>
          </span>
        </div>`:D}`}var ra=10,ia=56,q=class extends A{constructor(...e){super(...e),this.peer=0,this.name=``,this.unread=0,this.floatingDay=``,this.isAtEnd=!0,this.touched=``,this.#e=new Sr(this),this.#t=new Si,this.#n=new yi,this.#r=new ui(e=>this.session.client.store.markRead(this.peer,e)),this.#i=new ResizeObserver(()=>this.#v()),this.#a=[],this.#o=[],this.#s=null,this.#c=!1,this.#l=0,this.#u=``,this.#d=new Set,this.#f=0,this.#p=!1,this.#C=()=>{this.session.client.store.loadOlder(this.peer).catch(()=>void 0)},this.#T=e=>{let t=e.target;if(t.closest(`button, a, video`))return;let n=t.closest(`[data-key]`)?.dataset.key??``;this.touched=this.touched===n?``:n}}static{this.styles=[B,Ci,wi]}#e;#t;#n;#r;#i;#a;#o;#s;#c;#l;#u;#d;#f;#p;connectedCallback(){super.connectedCallback(),this.#r.start()}disconnectedCallback(){super.disconnectedCallback(),this.#r.stop(),this.#i.disconnect()}jumpToEnd(){this.#n.lookAt(`end`),this.requestUpdate()}focus(){this.#p=this.scroller===null,this.scroller?.focus()}get#m(){return this.session.client.store.history(this.peer).get()}willUpdate(e){if(e.has(`session`)||e.has(`peer`)){let{client:e,uploads:t,pictures:n}=this.session;this.#e.set([e.store.history(this.peer),e.connection.state,t.all,n])}this.#h(),this.#n.take(this.#a)}#h(){let{items:e}=this.#m,t=this.session.uploads.all.get(),n=this.#g(e),r=[e,t,n,this.time];if(r.every((e,t)=>e===this.#o[t]))return;this.#o=r;let i=t.filter(e=>e.peer===this.peer);this.#a=Ar({messages:e,uploads:i,unreadFrom:n,before:this.#a}),this.#_()}#g(e){let t=this.#m;if(this.#c||e.length===0)return this.#s;let n=Rr(e);return n===null?(this.#c=!0,null):(n===e[0]&&t.hasOlder&&this.#l<ra&&!t.error?t.isLoading||(this.#l++,this.session.client.store.loadOlder(this.peer).catch(()=>void 0)):this.#c=!0,this.#s=n.id,this.#n.lookAt({key:kr(n),offset:ia}),n.id)}#_(){let e=this.#a.at(-1),t=this.#u;if(this.#u=e?.key??``,!e||t===``||e.key===t)return;let n=this.#a.findIndex(e=>e.key===t)+1;if(n===0)return;let r=this.#a.slice(n);this.#d=new Set(r.map(e=>e.key)),e.isMine?(this.#s=null,this.jumpToEnd()):!aa()&&this.#s===null?(this.#s=r.find(e=>!e.isMine)?.message?.id??null,this.#o=[],this.requestUpdate()):this.#n.isAtEnd&&this.#n.lookAt(`end`)}updated(){let e=this.#w;e&&(this.#p&&this.focus(),this.#i.observe(e.scroller),this.#i.observe(e.rows),this.#v(),this.#r.observe(this.renderRoot.querySelectorAll(`[data-unread]`)))}#v(){let e=this.#w;e&&(this.#y(),this.#n.settle(e)&&this.requestUpdate(),this.isAtEnd=this.#n.isAtEnd,this.#S())}#y(){if(this.#n.anchor!==`end`||this.#s===null||aa())return;let e=this.#a.find(e=>e.beginsUnread);e&&!this.#n.fitsFrom(e.key)&&this.#n.lookAt({key:e.key,offset:8})}#b(){let e=this.#w;if(!e)return;let t=this.#n.isOwn(e);this.#n.scrolled(e)&&this.requestUpdate(),this.isAtEnd=this.#n.isAtEnd,t||this.#x(),this.#S()}#x(){let e=this.#a[this.#n.topIndex];this.floatingDay=e&&!this.isAtEnd?this.time.day(e.at):``,window.clearTimeout(this.#f),this.#f=window.setTimeout(()=>this.floatingDay=``,1200)}#S(){let{hasOlder:e,isLoading:t,error:n}=this.#m,{scroller:r}=this;this.#c&&e&&!t&&!n&&r&&r.clientHeight!==0&&r.scrollTop<1.5*r.clientHeight&&this.#C()}#C;get#w(){let e=this.renderRoot,t=t=>e.querySelector(t),[n,r,i,a,o]=[this.scroller,t(`.lead`),t(`.above`),t(`.rows`),t(`.below`)];return n&&r&&i&&a&&o?{scroller:n,lead:r,above:i,rows:a,below:o}:null}render(){let e=this.#m,{error:t}=e,{words:n}=this,r=this.#t.isAwaited(this.session.client,e);if(this.#a.length===0&&t)return ki(n.historyFailed,z(t,n),{text:n.retry,act:this.#C});if(this.#a.length===0&&r)return oa();if(this.#a.length===0)return this.#O();let i=this.#E(),a=this.session.pictures.get();return w`<div class="scroller" tabindex="0" role="log" aria-live="off" aria-label=${this.name} @scroll=${this.#b}>
        <div class="canvas">
          <div class="lead">${this.#D()}</div>
          <div class="above"></div>
          <div class="rows" @click=${this.#T}>
            ${ci(this.#a.slice(this.#n.first,this.#n.end),e=>e.key,e=>oi([e,...Object.values(i),a],()=>Ki(e,i)))}
          </div>
          <div class="below"></div>
        </div>
      </div>
      <div class="floating day ${this.floatingDay?`shown`:``}" aria-hidden="true"><span>${this.floatingDay}</span></div>
      ${this.isAtEnd?D:w`<button class="jump" title=${n.jumpToNewest} @click=${this.jumpToEnd}>
            ${H.down}<span class="unseen">${n.jumpToNewest}</span>${this.unread>0?w`<span class="count">${this.unread>99?`99+`:this.unread}</span>`:D}
          </button>`}`}#T;#E(){let{session:e,words:t,time:n,name:r,touched:i}=this;return{session:e,words:t,time:n,name:r,touched:i,fresh:this.#d,...this.actions}}#D(){let{hasOlder:e,error:t}=this.#m,{words:n}=this;return t?w`<div class="older-failed" role="alert">
        <span>${n.olderFailed} ${z(t,n)}</span>
        <button class="button" @click=${this.#C}>${n.retry}</button>
      </div>`:e?w`<div class="spinner" role="status" aria-label=${n.loading}></div>`:w`<span>${n.beginning}</span>`}#O(){let{words:e,name:t,peer:n}=this,r=n>0?e.historyEmptyHint:e.historyEmptyApp;return K(n>0?H.chats:H.bell,e.historyEmpty,r.replace(`{name}`,t))}};U([M({attribute:!1})],q.prototype,`session`,void 0),U([M({attribute:!1})],q.prototype,`words`,void 0),U([M({attribute:!1})],q.prototype,`time`,void 0),U([M({type:Number})],q.prototype,`peer`,void 0),U([M()],q.prototype,`name`,void 0),U([M({attribute:!1})],q.prototype,`actions`,void 0),U([M({type:Number})],q.prototype,`unread`,void 0),U([P(`.scroller`)],q.prototype,`scroller`,void 0),U([N()],q.prototype,`floatingDay`,void 0),U([N()],q.prototype,`isAtEnd`,void 0),U([N()],q.prototype,`touched`,void 0),q=U([j(`carillon-inbox-history`)],q);function aa(){return document.visibilityState===`visible`&&document.hasFocus()}function oa(){return w`<div class="bones" aria-hidden="true">
    ${[`w5`,`mine w3`,`w4`,`w6`,`mine w5`,`mine w2`,`w3`].map(e=>w`<div class="bone ${e}"></div>`)}
  </div>`}var sa=class extends A{static{this.styles=[B,ni,_`
      dialog {
        max-inline-size: min(24rem, calc(100vw - 2rem));
      }
      form {
        display: grid;
        gap: 0.4rem;
        padding: 1.4rem 1.5rem 1.2rem;
      }
      h2 {
        font-size: 1.1rem;
        font-weight: 650;
      }
      p {
        color: var(--_dim);
      }
      div {
        display: flex;
        justify-content: flex-end;
        gap: 0.6rem;
        margin-block-start: 0.9rem;
      }
    `]}#e=null;ask(){return this.dialog.returnValue=``,this.dialog.showModal(),new Promise(e=>this.#e=e)}#t=()=>{this.#e?.(this.dialog.returnValue===`yes`),this.#e=null};render(){let{words:e}=this;return w`<dialog aria-labelledby="title" aria-describedby="text" @close=${this.#t} @keydown=${e=>e.stopPropagation()}>
      <form method="dialog">
        <h2 id="title">${e.recallTitle}</h2>
        <p id="text">${e.recallText}</p>
        <div>
          <button class="button" value="no">${e.cancel}</button>
          <button class="button grave" value="yes">${e.recall}</button>
        </div>
      </form>
    </dialog>`}};U([M({attribute:!1})],sa.prototype,`words`,void 0),U([P(`dialog`)],sa.prototype,`dialog`,void 0),sa=U([j(`carillon-inbox-recall`)],sa);var J=class extends A{constructor(...e){super(...e),this.message=null,this.address=``,this.#e=e=>{e.target instanceof HTMLImageElement||this.dialog.close()}}static{this.styles=[B,ni,_`
      dialog {
        inline-size: 100vw;
        block-size: 100dvh;
        max-inline-size: none;
        max-block-size: none;
        border-radius: 0;
        background: #0b0e14f2;
        color: #fff;
      }
      .stage {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        padding: 3.75rem 1rem 1rem;
      }
      img {
        max-inline-size: 100%;
        max-block-size: calc(100dvh - 5rem);
        border-radius: 6px;
      }
      header {
        position: absolute;
        inset: 0 0 auto;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: 0.5rem;
        padding: 0.5rem 0.75rem;
      }
      .title {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .round {
        color: #fff;
      }
      .round:hover {
        background: #ffffff26;
        color: #fff;
      }
      :focus-visible {
        outline-color: #fff;
      }
    `]}async show(e){let{session:t}=this;this.message=e,this.address=t.addressOf(e),await this.updateComplete,this.dialog.showModal(),this.dialog.querySelector(`button`)?.focus(),t.isOld(e)&&(this.address=await t.refresh(e).catch(()=>this.address))}#e;render(){let{words:e,message:t}=this,n=t?.filename??e.picture;return w`<dialog aria-label=${n} @close=${()=>this.message=null} @keydown=${e=>e.stopPropagation()}>
      ${t?w`<header>
              <span class="title" dir="auto">${n}</span>
              <a class="round" href=${this.address} target="_blank" rel="noopener noreferrer" aria-label=${e.download} title=${e.download}>${H.open}</a>
              <button class="round" aria-label=${e.close} title=${e.close} @click=${()=>this.dialog.close()}>${H.close}</button>
            </header>
            <div class="stage" @click=${this.#e}><img src=${this.address} alt=${n} /></div>`:D}
    </dialog>`}};U([M({attribute:!1})],J.prototype,`words`,void 0),U([M({attribute:!1})],J.prototype,`session`,void 0),U([P(`dialog`)],J.prototype,`dialog`,void 0),U([N()],J.prototype,`message`,void 0),U([N()],J.prototype,`address`,void 0),J=U([j(`carillon-inbox-viewer`)],J);var Y=class extends A{constructor(...e){super(...e),this.peer=0,this.narrow=!1,this.isDropping=!1,this.account=null,this.#e=new Sr(this),this.#t=new ei(this),this.#n=null,this.#s={onMenu:(e,t)=>void this.menu.show(e,t),onAction:e=>{this.session.client.openAction(e).catch(e=>this.#u(this.words.actionFailed,e))},onOpenPicture:e=>void this.viewer.show(e),onOpenFile:e=>void this.#c(e),onError:(e,t)=>this.#u(e,t)},this.#d=()=>{this.dispatchEvent(new CustomEvent(`leave`))},this.#f=e=>{this.peer<=0||!e.dataTransfer?.types.includes(`Files`)||(e.preventDefault(),this.isDropping=e.type!==`dragleave`||this.#p(e))},this.#m=e=>{this.isDropping=!1;let t=e.dataTransfer?.files;this.peer<=0||!t||t.length===0||(e.preventDefault(),this.composer?.attach(t))}}static{this.styles=[B,ti]}#e;#t;#n;focus(){this.updateComplete.then(()=>(this.composer??this.history).focus())}connectedCallback(){super.connectedCallback(),this.hasUpdated&&this.#r()}disconnectedCallback(){super.disconnectedCallback(),this.#n?.(),this.#n=null}willUpdate(e){if(!e.has(`session`)&&!e.has(`peer`))return;let{conversations:t,unreadCount:n}=this.session.client.store;this.#e.set([t,n]),this.#r(),this.#t.follow(this.session.client,this.peer),this.#i()}#r(){this.#n?.(),this.#n=this.session.client.store.open(this.peer)}async#i(){this.account=null;let{peer:e}=this;if(e>=0)return;let t=await this.session.loadApps().catch(()=>[]);e===this.peer&&(this.account=t.find(e=>e.app_id===this.#a?.username)?.app_id??null)}get#a(){return this.session.client.store.conversations.get().items.find(e=>e.user_id===this.peer)}get#o(){let e=this.#a;if(e)return mr(e,this.words);let t=this.session.people.get(this.peer);return t?t.name:this.peer===0?this.words.system:`${this.peer>0?this.words.person:this.words.app} ${Math.abs(this.peer)}`}#s;async#c(e){let{session:t}=this;try{ca(t.isOld(e)?await t.refresh(e):t.addressOf(e),e.filename)}catch(e){this.#u(this.words.fileFailed,e)}}async#l(e){if(await this.recallDialog.ask()){try{await this.session.client.store.recall(this.peer,e.id)}catch(e){this.#u(this.words.recallFailed,e)}this.focus()}}#u(e,t=null){this.dispatchEvent(new CustomEvent(`problem`,{detail:{sentence:e,error:t}}))}#d;#f;#p({clientX:e,clientY:t}){let{left:n,right:r,top:i,bottom:a}=this.getBoundingClientRect();return e>n&&e<r&&t>i&&t<a}#m;render(){let{words:e,session:t,time:n,peer:r}=this,i=this.#o;return w`<section class="chat" aria-label=${R(e.messages,{name:i})} @dragenter=${this.#f} @dragover=${this.#f} @dragleave=${this.#f} @drop=${this.#m}>
      ${this.#h(i)}
      <carillon-inbox-history
        .session=${t} .words=${e} .time=${n} .peer=${r} .name=${i} .actions=${this.#s}
        .unread=${this.#a?.unread_count??0}
      ></carillon-inbox-history>
      ${r>0?w`<carillon-inbox-composer .session=${t} .words=${e} .peer=${r} .name=${i} @sent=${()=>this.history.jumpToEnd()}></carillon-inbox-composer>`:w`<p class="silent">${e.cannotReply}</p>`}
      ${this.isDropping?w`<div class="drop"><span>${H.attach}${R(e.dropHere,{name:i})}</span></div>`:D}
      <carillon-inbox-menu .words=${e} @recall=${e=>void this.#l(e.detail)} @copied=${t=>this.#u(t.detail?e.copied:e.copyFailed)}></carillon-inbox-menu>
      <carillon-inbox-recall .words=${e}></carillon-inbox-recall>
      <carillon-inbox-viewer .words=${e} .session=${t}></carillon-inbox-viewer>
    </section>`}#h(e){let{words:t,peer:n,account:r}=this,i=n>0?this.#a?.username??this.session.people.get(n)?.mobile??``:t.app;return w`<header>
      ${this.narrow?w`<button class="round" aria-label=${t.back} title=${t.back} @click=${this.#d}>${H.back}</button>${this.#g()}`:D}
      ${Oi(n,e,`small`)}
      <div class="who">
        ${this.narrow?w`<h1 class="title" dir="auto">${e}</h1>`:w`<h2 class="title" dir="auto">${e}</h2>`}
        ${n!==0&&i?w`<span>${i}</span>`:D}
      </div>
      ${r===null?D:w`<button class="button" @click=${()=>void this.#_(r,e)}>${H.open}${R(t.openApp,{name:``}).trim()}</button>`}
    </header>`}#g(){let e=this.session.client.store.unreadCount.get()-(this.#a?.unread_count??0);return e>0?w`<span class="elsewhere" aria-hidden="true">${e>99?`99+`:e}</span>`:D}async#_(e,t){try{await Ur(()=>this.session.client.rest.signOn(e))}catch(e){this.#u(R(this.words.signOnFailed,{name:t}),e)}}};U([M({attribute:!1})],Y.prototype,`session`,void 0),U([M({attribute:!1})],Y.prototype,`words`,void 0),U([M({attribute:!1})],Y.prototype,`time`,void 0),U([M({type:Number})],Y.prototype,`peer`,void 0),U([M({type:Boolean})],Y.prototype,`narrow`,void 0),U([P(`carillon-inbox-composer`)],Y.prototype,`composer`,void 0),U([P(`carillon-inbox-history`)],Y.prototype,`history`,void 0),U([P(`carillon-inbox-menu`)],Y.prototype,`menu`,void 0),U([P(`carillon-inbox-recall`)],Y.prototype,`recallDialog`,void 0),U([P(`carillon-inbox-viewer`)],Y.prototype,`viewer`,void 0),U([N()],Y.prototype,`isDropping`,void 0),U([N()],Y.prototype,`account`,void 0),Y=U([j(`carillon-inbox-chat`)],Y);function ca(e,t){let n=document.createElement(`a`);Object.assign(n,{href:e,download:t??``,target:`_blank`,rel:`noopener noreferrer`}),n.click()}var la=_`
  :host {
    display: grid;
    min-block-size: 0;
  }
  .scroller {
    overflow-y: auto;
    overscroll-behavior: contain;
    min-block-size: 0;
    padding: 0.25rem 0.5rem 1rem;
    scrollbar-width: thin;
    scrollbar-color: color-mix(in srgb, var(--_dim) 45%, transparent) transparent;
  }
  li {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 4.375rem;
  }
  .conversation {
    inline-size: 100%;
    display: grid;
    grid-template: "avatar name time time" auto "avatar last last badge" auto / auto 1fr auto auto;
    gap: 0.05rem 0.75rem;
    align-items: center;
    padding: 0.6rem 0.65rem;
    border-radius: 14px;
    outline-offset: -2px;
    transition: background-color 0.1s;
  }
  .conversation:hover {
    background: var(--_hover);
  }
  .conversation[aria-current] {
    background: var(--_chosen);
  }
  .avatar {
    grid-area: avatar;
  }
  .name {
    grid-area: name;
    font-weight: 600;
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  time {
    grid-area: time;
    color: var(--_dim);
    font-size: 0.76rem;
    font-variant-numeric: tabular-nums;
  }
  .unread time {
    color: var(--_accent);
    font-weight: 600;
  }
  .last {
    grid-area: last;
    color: var(--_dim);
    font-size: 0.875rem;
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .unread .last {
    color: var(--_text);
  }
  .draft {
    color: var(--_bad);
    font-weight: 500;
  }
  .badge {
    grid-area: badge;
    min-inline-size: 1.35rem;
    padding-inline: 0.4rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 650;
    line-height: 1.35rem;
    text-align: center;
    justify-self: end;
    font-variant-numeric: tabular-nums;
  }
  /* Text in another script keeps its own direction, and its place. */
  .name,
  .last {
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  h2 {
    font-size: 0.8rem;
    font-weight: 600;
    color: var(--_dim);
    padding: 0.7rem 0.65rem 0.3rem;
  }
  .more {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem;
    align-items: center;
    justify-content: center;
    padding: 1rem;
    color: var(--_dim);
  }
  .more[role="alert"] {
    color: var(--_bad);
  }
  .bones {
    padding: 0.25rem 1.15rem;
  }
  .bones > div {
    display: grid;
    grid-template: "circle one" auto "circle two" auto / 2.875rem 1fr;
    gap: 0.45rem 0.75rem;
    align-content: center;
    block-size: 4.375rem;
  }
  .circle {
    grid-area: circle;
    block-size: 2.875rem;
    border-radius: 50%;
  }
  .one {
    block-size: 0.8rem;
    inline-size: 45%;
  }
  .two {
    block-size: 0.7rem;
    inline-size: 80%;
  }
  .bones > :nth-child(even) .two {
    inline-size: 60%;
  }

  /* apps */
  .apps {
    display: grid;
    gap: 0.15rem;
  }
  .apps .conversation {
    grid-template: "avatar name open" auto "avatar last open" auto / auto 1fr auto;
  }
  .apps .only {
    grid-template: "avatar name open" auto / auto 1fr auto;
  }
  .open {
    grid-area: open;
    color: var(--_dim);
    display: grid;
  }
  .open .icon {
    inline-size: 1.1rem;
    block-size: 1.1rem;
  }
`,ua=220,X=class extends A{static{this.styles=[B,la]}#e;#t;#n;#r;constructor(){super(),this.peer=null,this.query=``,this.people=null,this.error=null,this.#e=new Sr(this),this.#t=new Si,this.#n=0,this.#r=null,this.#l=()=>{this.session.client.store.loadMoreConversations().catch(()=>void 0)},new xr(this)}focus(){this.renderRoot.querySelector(`[data-id][tabindex='0']`)?.focus()}focusOn(e){let t=this.renderRoot.querySelector(`[data-id="${e??``}"]`);t?t.focus():this.focus()}willUpdate(e){e.has(`session`)&&this.#i(),e.has(`query`)&&this.#a()}#i(){let{store:e,connection:t}=this.session.client;this.#e.set([e.conversations,t.state]),this.#t=new Si}#a(){window.clearTimeout(this.#n),this.#r?.abort(),this.people=null,this.error=null;let e=this.query.trim();e&&(this.#n=window.setTimeout(()=>void this.#o(e),ua))}async#o(e){let t=this.#r=new AbortController;this.error=null;try{let n=await this.session.client.rest.searchPeople(e,{limit:30,signal:t.signal});if(t.signal.aborted)return;for(let e of n)this.session.people.set(e.id,e);this.people=n}catch(e){t.signal.aborted||(this.error=e)}}render(){return this.query.trim()?this.#f(this.query.trim()):this.#s()}#s(){let{client:e}=this.session,t=e.store.conversations.get(),{items:n,error:r,hasMore:i}=t,{words:a}=this,o=this.#t.isAwaited(e,t);return n.length===0&&r?ki(a.conversationsFailed,z(r,a),{text:a.retry,act:this.#l}):n.length===0&&o?da():n.length===0?K(H.chats,a.conversationsEmpty,a.conversationsEmptyHint):w`<div class="scroller" @scroll=${this.#c}>
      ${this.#u(n,a.conversations)}
      ${r?w`<p class="more" role="alert">${z(r,a)} <button class="button" @click=${this.#l}>${a.retry}</button></p>`:i?w`<p class="more"><span class="spinner" role="status" aria-label=${a.loading}></span></p>`:D}
    </div>`}#c(e){let{scrollHeight:t,scrollTop:n,clientHeight:r}=e.target,{hasMore:i,isLoading:a,error:o}=this.session.client.store.conversations.get();i&&!a&&!o&&t-n-r<600&&this.#l()}#l;#u(e,t){let n=e.some(e=>e.user_id===this.peer)?this.peer:e[0]?.user_id;return w`<ul aria-label=${t} @keydown=${Ri}>
      ${ci(e,e=>e.user_id,e=>this.#d(e,e.user_id===n))}
    </ul>`}#d(e,t){let{words:n,time:r}=this,i=mr(e,n),a=e.user_id===this.peer?``:(this.session.drafts.get(e.user_id)??``).trim(),o=e.user_id===this.peer;return w`<li>
      <button
        class="conversation ${e.unread_count>0?`unread`:``}"
        data-id=${e.user_id}
        tabindex=${t?0:-1}
        aria-current=${o?`true`:D}
        @click=${()=>this.#m(e.user_id)}
      >
        ${Oi(e.user_id,i)}
        <span class="name" dir="auto">${i}</span>
        <time datetime=${new Date(e.updated_at_ms).toISOString()}>${r.short(e.updated_at_ms)}</time>
        <span class="last" dir="auto">${a?w`<b class="draft">${n.draft}</b> ${a}`:lr(e,n)}</span>
        ${e.unread_count>0?w`<span class="badge" aria-label=${er(n.unread,e.unread_count)}>${e.unread_count>99?`99+`:e.unread_count}</span>`:D}
      </button>
    </li>`}#f(e){let{words:t}=this,n=e.toLowerCase(),r=this.session.client.store.conversations.get().items.filter(e=>`${mr(e,t)} ${e.username} ${e.last_message}`.toLowerCase().includes(n)),i=new Set(r.map(e=>e.user_id)),a=this.people?.filter(e=>!i.has(e.id))??null,o=r.length+(a?.length??0);return w`<div class="scroller">
      ${r.length>0?w`<h2>${t.conversations}</h2>${this.#u(r,t.conversations)}`:D}
      ${a&&a.length>0?w`<h2>${t.people}</h2>${this.#p(a,r.length===0)}`:D}
      ${this.error?ki(t.searchFailed,z(this.error,t),{text:t.retry,act:()=>void this.#o(e)}):a===null?w`<p class="more"><span class="spinner"></span></p>`:o===0?K(H.search,R(t.nothingFound,{q:e}),t.nothingFoundHint):D}
      <p class="unseen" role="status">${a===null?t.searching:er(t.found,o)}</p>
    </div>`}#p(e,t){return w`<ul aria-label=${this.words.people} @keydown=${Ri}>
      ${e.map((e,n)=>w`<li>
          <button class="conversation" data-id=${e.id} tabindex=${t&&n===0?0:-1} @click=${()=>this.#m(e.id)}>
            ${Oi(e.id,e.name)}
            <span class="name" dir="auto">${e.name}</span>
            <span class="last">${[e.english_name,e.mobile].filter(Boolean).join(` · `)}</span>
          </button>
        </li>`)}
    </ul>`}#m(e){this.dispatchEvent(new CustomEvent(`choose`,{detail:e}))}};U([M({attribute:!1})],X.prototype,`session`,void 0),U([M({attribute:!1})],X.prototype,`words`,void 0),U([M({attribute:!1})],X.prototype,`time`,void 0),U([M({attribute:!1})],X.prototype,`peer`,void 0),U([M()],X.prototype,`query`,void 0),U([N()],X.prototype,`people`,void 0),U([N()],X.prototype,`error`,void 0),X=U([j(`carillon-inbox-list`)],X);function da(){return w`<div class="bones" aria-hidden="true">
    ${Array.from({length:9},()=>w`<div><span class="bone circle"></span><span class="bone one"></span><span class="bone two"></span></div>`)}
  </div>`}var Z=class extends A{constructor(...e){super(...e),this.query=``,this.apps=null,this.error=null}static{this.styles=[B,la]}willUpdate(e){e.has(`session`)&&this.#e()}async#e(e=!1){this.error=null;try{this.apps=await this.session.loadApps(e)}catch(e){this.error=e}}render(){let{words:e,apps:t,error:n}=this;if(n)return ki(e.appsFailed,z(n,e),{text:e.retry,act:()=>void this.#e(!0)});if(t===null)return K(H.apps,e.loading);if(t.length===0)return K(H.apps,e.appsEmpty,e.appsEmptyHint);let r=this.query.trim().toLowerCase(),i=t.filter(e=>`${e.app_name} ${e.app_id} ${e.description}`.toLowerCase().includes(r));return i.length===0?K(H.search,R(e.nothingFound,{q:this.query.trim()})):w`<div class="scroller" @keydown=${Ri}>
      ${[...fa(i)].map(([t,n],r)=>w`${t?w`<h2>${t}</h2>`:D}
          <ul class="apps" aria-label=${t||e.apps}>
            ${n.map((e,t)=>this.#t(e,r===0&&t===0))}
          </ul>`)}
    </div>`}#t(e,t){let n=e.description||e.mapped_key||``;return w`<li>
      <button
        class="conversation ${n?``:`only`}"
        data-id=${e.app_id}
        tabindex=${t?0:-1}
        title=${R(this.words.openApp,{name:e.app_name})}
        @click=${()=>void this.#r(e)}
      >
        ${Oi(this.#n(e),e.app_name)}
        <span class="name" dir="auto">${e.app_name}</span>
        ${n?w`<span class="last" dir="auto">${n}</span>`:D}
        <span class="open">${H.open}</span>
      </button>
    </li>`}#n(e){let{items:t}=this.session.client.store.conversations.get();return t.find(t=>t.app_id!==null&&t.username===e.app_id)?.user_id??-pa(e.app_id)}async#r(e){try{await Ur(()=>this.session.client.rest.signOn(e.app_id))}catch(t){let n=R(this.words.signOnFailed,{name:e.app_name});this.dispatchEvent(new CustomEvent(`problem`,{detail:{sentence:n,error:t}}))}}};U([M({attribute:!1})],Z.prototype,`session`,void 0),U([M({attribute:!1})],Z.prototype,`words`,void 0),U([M()],Z.prototype,`query`,void 0),U([N()],Z.prototype,`apps`,void 0),U([N()],Z.prototype,`error`,void 0),Z=U([j(`carillon-inbox-apps`)],Z);function fa(e){let t=new Map;for(let n of e){let e=n.category_name??``;t.set(e,[...t.get(e)??[],n])}return t}function pa(e){let t=1;for(let n of e)t=(t*31+(n.codePointAt(0)??0))%9973;return t||1}var Q=class extends A{constructor(...e){super(...e),this.language=`en`,this.theme=`auto`,this.#e=()=>{this.panel.togglePopover();let e=this.button.getBoundingClientRect(),{offsetWidth:t,style:n}=this.panel;n.top=`${e.bottom+6}px`,n.left=`${Math.max(8,Math.min(e.right-t,window.innerWidth-t-8))}px`},this.#t=e=>{e.key===`Escape`&&e.stopPropagation()}}static{this.styles=[B,_`
      .panel {
        position: fixed;
        inset: auto;
        margin: 0;
        border: 0;
        inline-size: 17rem;
        padding: 1rem;
        border-radius: 18px;
        background: var(--_ground);
        color: var(--_text);
        box-shadow: var(--_shadow-high);
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0 0 0.9rem;
        min-inline-size: 0;
      }
      legend {
        font-size: 0.8rem;
        font-weight: 600;
        color: var(--_dim);
        padding: 0 0 0.4rem;
      }
      .choice {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        background: var(--_canvas);
        border-radius: 12px;
        padding: 3px;
      }
      label {
        display: grid;
        cursor: pointer;
      }
      input {
        appearance: none;
        margin: 0;
        grid-area: 1 / 1;
        border-radius: 10px;
      }
      span {
        grid-area: 1 / 1;
        padding: 0.35rem 0.4rem;
        text-align: center;
        font-size: 0.84rem;
        line-height: 1.25;
        display: grid;
        place-items: center;
      }
      input:checked {
        background: var(--_bubble);
        box-shadow: var(--_shadow);
      }
      input:checked + span {
        font-weight: 600;
      }
    `]}#e;#t;render(){let{words:e}=this,t=[[`auto`,e.themeAuto],[`light`,e.themeLight],[`dark`,e.themeDark]],n=Object.entries(L).map(([e,{name:t}])=>[e,t]);return w`<button class="round" aria-label=${e.settings} title=${e.settings} aria-haspopup="dialog" @click=${this.#e}>${H.settings}</button>
      <div class="panel" popover="auto" role="dialog" aria-label=${e.settings} @keydown=${this.#t}>
        ${this.#n(`theme`,e.theme,t,this.theme)} ${this.#n(`language`,e.language,n,this.language)}
        <slot></slot>
      </div>`}#n(e,t,n,r){return w`<fieldset>
      <legend>${t}</legend>
      <div class="choice">
        ${n.map(([t,n])=>w`<label>
            <input type="radio" name=${e} .checked=${t===r} @change=${()=>this.dispatchEvent(new CustomEvent(`change-${e}`,{detail:t}))} />
            <span>${n}</span>
          </label>`)}
      </div>
    </fieldset>`}};U([M({attribute:!1})],Q.prototype,`words`,void 0),U([M()],Q.prototype,`language`,void 0),U([M()],Q.prototype,`theme`,void 0),U([P(`.panel`)],Q.prototype,`panel`,void 0),U([P(`button`)],Q.prototype,`button`,void 0),Q=U([j(`carillon-inbox-settings`)],Q);var ma=720,ha=6e3,$=class extends A{constructor(...e){super(...e),this.client=null,this.baseUrl=null,this.getToken=null,this.lang=``,this.theme=`auto`,this.peer=null,this.hideSettings=!1,this.isNarrow=!1,this.tab=`chats`,this.search=``,this.note=``,this.#e=new Sr(this,()=>this.#p()),this.#t=new gr(this,()=>this.#l),this.#n=new ResizeObserver(([e])=>this.isNarrow=(e?.contentRect.width??ma)<ma),this.#r=null,this.#i=null,this.#a=`en`,this.#o=new vr(L.en.locale,L.en.words),this.#s=0,this.#c=-1,this.#_=e=>{if(e.key!==`Escape`||e.defaultPrevented||e.isComposing)return;let t=e.composedPath()[0]===this.searchField;if(t&&this.search)this.#y(``);else if(!t&&this.peer!==null)this.#g();else return;e.preventDefault()},this.#v=e=>{e.key===`ArrowDown`&&(e.preventDefault(),this.list?.focus())}}static{this.styles=[Kr,B,qr]}#e;#t;#n;#r;#i;#a;#o;#s;#c;connectedCallback(){super.connectedCallback(),this.#n.observe(this),this.#i?.start()}disconnectedCallback(){super.disconnectedCallback(),this.#n.disconnect(),this.#i?.stop()}open(e){e!==this.peer&&(this.peer=e,this.dispatchEvent(new CustomEvent(`carillon-open`,{detail:{peer:e},bubbles:!0,composed:!0})))}get#l(){return L[this.#a].words}willUpdate(e){this.#u(),(e.has(`client`)||e.has(`baseUrl`)||e.has(`getToken`))&&this.#d(),e.has(`peer`)&&Number.isNaN(this.peer)&&(this.peer=null)}#u(){let e=$n([this.lang,document.documentElement.lang,...navigator.languages].filter(Boolean));e!==this.#a&&(this.#a=e,this.#o=new vr(L[e].locale,L[e].words))}#d(){this.#i?.stop(),this.#i=null,this.#r?.end(),this.#r=null,this.#c=-1;let e=this.client??this.#f();if(!e)return;this.#r=new Hr(e);let{conversations:t,unreadCount:n}=e.store;this.#e.set([t,n]),this.#t.follow(e.store),this.isConnected&&e.start(),this.#p()}#f(){let{baseUrl:e,getToken:t}=this;return e===null||t===null?null:(this.#i=Nt({baseUrl:e,getToken:t}),this.#i)}#p(){let e=this.#r?.client.store.unreadCount.get()??0;this.requestUpdate(),e!==this.#c&&(this.#c=e,this.dispatchEvent(new CustomEvent(`carillon-unread`,{detail:{count:e},bubbles:!0,composed:!0})))}#m({detail:e}){let{sentence:t,error:n}=e;this.note=n===null?t:`${t} ${z(n,this.#l)}`,window.clearTimeout(this.#s),this.#s=window.setTimeout(()=>this.note=``,ha),n!==null&&this.dispatchEvent(new CustomEvent(`carillon-error`,{detail:{error:n,message:this.note},bubbles:!0,composed:!0}))}async#h(e){this.open(e),await this.updateComplete,this.chat?.focus()}async#g(){let{list:e}=this;if(this.isNarrow){let e=this.peer;this.open(null),await this.updateComplete,await this.list?.updateComplete,this.list?.focusOn(e)}else e?.focus()}#_;#v;#y(e){this.search=e,this.searchField.value=e,this.searchField.focus()}render(){let e=this.#r;if(!e)return D;let t=this.peer!==null;return w`<div class="inbox ${this.isNarrow?`narrow`:`wide`}" lang=${L[this.#a].locale} @keydown=${this.#_}>
      ${this.isNarrow&&t?D:this.#b(e)}
      ${this.isNarrow&&!t?D:this.#S(e)}
      <div class="note ${this.note?`shown`:``}" role="status"><span>${this.note}</span></div>
      <div class="unseen" aria-live="polite">${this.#t.text}</div>
    </div>`}#b(e){let t=this.#l,n=this.#o;return w`<nav class="side" aria-label=${t.inbox}>
      <header>
        <h1>${t.inbox}</h1>
        ${this.hideSettings?D:w`<carillon-inbox-settings .words=${t} .language=${this.#a} .theme=${this.theme} @change-theme=${this.#C} @change-language=${this.#w}><slot name="menu"></slot></carillon-inbox-settings>`}
      </header>
      <div class="search">
        ${H.search}
        <input type="search" enterkeyhint="search" autocomplete="off" placeholder=${t.searchShort} aria-label=${t.search} .value=${this.search}
          @input=${e=>this.search=e.target.value} @keydown=${this.#v} />
        ${this.search?w`<button class="round" aria-label=${t.clearSearch} @click=${()=>this.#y(``)}>${H.close}</button>`:D}
      </div>
      <carillon-inbox-banner .session=${e} .words=${t}></carillon-inbox-banner>
      ${this.tab===`chats`?w`<carillon-inbox-list .session=${e} .words=${t} .time=${n} .peer=${this.peer} .query=${this.search} @choose=${e=>void this.#h(e.detail)}></carillon-inbox-list>`:w`<carillon-inbox-apps .session=${e} .words=${t} .query=${this.search} @problem=${this.#m}></carillon-inbox-apps>`}
      ${this.#x(e,t)}
    </nav>`}#x(e,t){let n=e.client.store.unreadCount.get(),r=(e,t,n,r)=>w`<button aria-pressed=${this.tab===e?`true`:`false`} @click=${()=>this.tab=e}><span>${n}${r}</span>${t}</button>`;return w`<div class="tabs">
      ${r(`chats`,t.chats,H.chats,n>0?w`<b aria-hidden="true">${n>99?`99+`:n}</b>`:D)}
      ${r(`apps`,t.apps,H.apps,D)}
    </div>`}#S(e){let t=this.#l;return this.peer===null?w`<section class="none" aria-label=${t.chooseConversation}>${K(H.chats,t.chooseConversation,t.chooseConversationHint)}</section>`:w`<div class="main">
      ${this.isNarrow?w`<carillon-inbox-banner .session=${e} .words=${t}></carillon-inbox-banner>`:D}
      ${Yn(this.peer,w`<carillon-inbox-chat .session=${e} .words=${t} .time=${this.#o} .peer=${this.peer} .narrow=${this.isNarrow}
          @leave=${()=>void this.#g()} @problem=${this.#m}></carillon-inbox-chat>`)}
    </div>`}#C(e){this.theme=e.detail,this.#T()}#w(e){this.lang=e.detail,this.#T()}#T(){let{theme:e,lang:t}=this;this.dispatchEvent(new CustomEvent(`carillon-settings`,{detail:{theme:e,lang:t},bubbles:!0,composed:!0}))}};U([M({attribute:!1})],$.prototype,`client`,void 0),U([M({attribute:`base-url`})],$.prototype,`baseUrl`,void 0),U([M({attribute:!1})],$.prototype,`getToken`,void 0),U([M({reflect:!0})],$.prototype,`lang`,void 0),U([M({reflect:!0})],$.prototype,`theme`,void 0),U([M({type:Number})],$.prototype,`peer`,void 0),U([M({type:Boolean,attribute:`hide-settings`})],$.prototype,`hideSettings`,void 0),U([N()],$.prototype,`isNarrow`,void 0),U([N()],$.prototype,`tab`,void 0),U([N()],$.prototype,`search`,void 0),U([N()],$.prototype,`note`,void 0),U([P(`carillon-inbox-chat`)],$.prototype,`chat`,void 0),U([P(`carillon-inbox-list`)],$.prototype,`list`,void 0),U([P(`input`)],$.prototype,`searchField`,void 0),$=U([j(`carillon-inbox`)],$);export{$ as CarillonInbox};