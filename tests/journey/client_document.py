"""The client document's own Python sample, as it stands there.

Changed: the placeholders at the top are arguments, as the document asks; `&timestamp` is written out
where the document shows an HTML entity's remains (`×tamp`); indentation, lost in the document, is
restored. Nothing else.
"""

import hashlib
import hmac
import time
from typing import Any

import requests

API_BASE = "https://your-host.example.com/api/v1"
APP_ID = "your_app_id_string"
APP_SECRET = "your_app_secret"


def configure(api_base: str, app_id: str, app_secret: str) -> None:
    """Put actual values in the place of the placeholders."""
    globals().update(API_BASE=api_base, APP_ID=app_id, APP_SECRET=app_secret)


def app_sign_headers() -> dict[str, str]:
    """The signature of an app's call."""
    ts = str(int(time.time()))
    query_string = f"app_id={APP_ID}&timestamp={ts}"
    sign = hmac.new(
        APP_SECRET.encode("utf-8"),
        query_string.encode("utf-8"),
        hashlib.sha256,
    ).hexdigest()
    return {
        "X-App-Id": APP_ID,
        "X-Timestamp": ts,
        "X-Sign": sign,
        "Content-Type": "application/json",
    }


def send_notification_by_app_user() -> Any:
    """应用签名:按 app_user_id 发送通知"""
    url = f"{API_BASE}/messages/"
    payload = {
        "app_id": APP_ID,
        "app_user_id": "zhangsan_oa",
        "type": "NOTIFICATION",
        "content_type": "TEXT",
        "title": "审批通知",
        "content": "您有一条待审批任务",
        "auto_sso": True,
        "target_url": "https://biz.example.com/todo/123",
        "action_text": "立即处理",
    }
    r = requests.post(url, headers=app_sign_headers(), json=payload, timeout=30)
    r.raise_for_status()
    return r.json()


def send_user_notification_by_app(app_user_id: str, sender_app_user_id: str | None = None) -> Any:
    """应用发 USER_NOTIFICATION:代发起人通知接收者(如 OA 代张三通知李四)"""
    url = f"{API_BASE}/messages/"
    payload: dict[str, Any] = {
        "app_id": APP_ID,
        "app_user_id": app_user_id,
        "type": "MESSAGE",
        "content_type": "USER_NOTIFICATION",
        "title": "请假申请",
        "content": {"applyType": "LEAVE", "days": 2, "businessId": 123},
        "auto_sso": True,
        "target_url": "https://biz.example.com/leave/123",
        "action_text": "去审批",
    }
    if sender_app_user_id:
        payload["sender_app_user_id"] = sender_app_user_id
    r = requests.post(url, headers=app_sign_headers(), json=payload, timeout=30)
    r.raise_for_status()
    return r.json()


def send_user_notification(access_token: str) -> Any:
    """用户 Bearer:发送 USER_NOTIFICATION(用户本人发,如重新提醒)"""
    url = f"{API_BASE}/messages/"
    headers = {
        "Authorization": f"Bearer {access_token}",
        "Content-Type": "application/json",
    }
    payload = {
        "receiver_id": 2048,
        "type": "MESSAGE",
        "content_type": "USER_NOTIFICATION",
        "app_id": "oa_system",
        "title": "请假申请",
        "content": {"applyType": "LEAVE", "days": 2, "businessId": 123},
        "auto_sso": True,
        "target_url": "https://biz.example.com/leave/123",
        "action_text": "去审批",
    }
    r = requests.post(url, headers=headers, json=payload, timeout=30)
    r.raise_for_status()
    return r.json()
